// SPDX-License-Identifier: Apache-2.0

// A node's partitions, and the threads that work for them.
//
//     callers ─▶ Partition ─inbox─▶ LogThread ─▶ Log ─▶ page cache
//                    ▲                  │ SyncRound ─▶ sync threads ─▶ disk
//                    └── snapshot, completions ◀┘
//
// `Broker` opens a data directory and finds topics and partitions by name; a `Partition` is what
// services hold on to; the `LogThread` owns all logs, and nobody else calls them. `Disk/` watches the
// room on the disk and stops appends before there is none. `Servers/` is the one place where a process
// reads who else is in the cluster, and the door to the gossip that knows it.
