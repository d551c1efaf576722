// SPDX-License-Identifier: Apache-2.0

// A Cordwood server for tests, inside the test's process.
//
//     try await withCordwood(topics: ["orders"]) { server in
//         try await server.client.produce("orders", value: "hello")
//     }
//
// It is the server of `cordwood serve`, on a port of its own, ready in milliseconds; when the
// closure is done nothing of it is left.
