// SPDX-License-Identifier: Apache-2.0

// A member of a Serf cluster, with sockets, keys, files and metrics around the core.
//
//     callers ──▶ SerfNode ──hop──▶ NodeLoop ──inputs──▶ Serf (SerfCore)
//        ▲                          │  ▲  ▲               │
//        └── SerfNodeEvents ◀───────┘  │  └───effects─────┘
//                                      │
//          Sockets/    UDP and TCP on one port; limits of streams
//          Keys/       AES-GCM, keyring file
//          Addresses/  names, the advertised address
//          Telemetry/  names of metrics, log lines
//
// All that changes belongs to one event loop: `NodeLoop`. Nothing suspends inside of a decision, which
// is the core's; files and names are read on threads that may wait.
//
// Begin with `SerfNode`, `SerfNodeSettings` and `NodeLoop`.
