// SPDX-License-Identifier: Apache-2.0

// Replicas: the consensus core over a log, and what all groups of a node share.
//
//     peers ──messages──▶ ReplicaNode ──▶ Replica ──▶ Raft      decides
//                             │              └──────▶ Log       keeps
//                             └─▶ HardStateJournal, SyncScheduler
//
// Everything here is driven by its owner's calls, in production by the log thread of a disk and in
// tests by the simulator: the same code, with other disks, clocks and networks.
