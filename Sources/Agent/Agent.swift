// SPDX-License-Identifier: Apache-2.0

// One node, put together: the room that knows all others of the server.
//
//     flags, CORDWOOD_*, YAML ──▶ SettingsLoader ──▶ Settings
//                                                       │
//     NodeRunner (signals) ──▶ Node ──▶ Broker ◀── LogServices ◀── gRPC ◀── ConnectionGuard
//                               └─────▶ NodeGossip ──▶ ServerRegistry ──▶ LogServices
//
// `Settings/` is one table of keys, from which the loader, the check, the example file and the
// reference page are made. `Node/` starts and stops a node, and holds its clients to limits that the
// gRPC transport does not know. `Gossip/` is a node's part among the other servers: a Serf node and
// what it tells. Main types: `Settings`, `SettingsLoader`, `Node`.
