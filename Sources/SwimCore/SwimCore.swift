// SPDX-License-Identifier: Apache-2.0

// SwimCore: who is alive. SWIM with Lifeguard, and gossip.
//
//     packets, answers ──▶ ┌────────────┐ ──▶ packets, streams, observations
//     ticks, wishes    ──▶ │ Memberlist │
//                          └────────────┘ ──▶ MemberlistDelegate: joins, leaves, user messages
//
// Pure: no clock, no chance but a seed, no sockets. Above it stands the layer that Serf adds, as
// its delegate; below it the bytes (SerfWire). The shell or a simulator performs its effects.
//
// Main types: `Memberlist` (the core), `SwimEffect` (what is to be done), `MemberlistDelegate`
// (the layer above). Folders: Members (records and rules), Probing, Suspicion, Gossip, PushPull,
// Time.
