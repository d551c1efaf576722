// SPDX-License-Identifier: Apache-2.0

// A server, put together.
//
//     flags, CORDWOOD_*, file ─▶ SettingsLoader ─▶ Settings ─▶ Node ─▶ Broker
//                                                                └──▶ gRPC server ─▶ LogServices
//
// The only room that knows everybody. `Node` starts a broker and the gRPC server in front of it and
// stops them in order; `NodeRunner` does so as a process's purpose, with its signals.
// `SettingsTable` has a row for each setting: the loader, the example and the reference page are
// made from it. `ConnectionGuard` and `MessageSizeGuard` keep the limits that the transport lacks.
