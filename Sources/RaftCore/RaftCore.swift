// SPDX-License-Identifier: Apache-2.0

// Consensus, as a function of messages, disk completions and ticks.
//
//          peers                     callers                    time
//            │ message                  │ appended, read,         │ tick
//            ▼                          ▼ changeMembers, transfer ▼
//     ┌─────────────────────────────── Raft ───────────────────────────────┐
//     │  Election/     who leads: timeouts, pre-votes, votes, transfer     │
//     │  Replication/  how logs become equal: append, accept, reject       │
//     │  Quorum/       what is committed: numbers, and nothing but numbers │
//     │  Voters/       who counts: joint configurations, learners          │
//     │  Reads/ Quiet/ Snapshot/     Entries/ Progress/  what it remembers │
//     └──┬──────────────┬───────────────┬──────────────┬───────────────┬───┘
//        ▼ saveHardState ▼ append       ▼ send         ▼ commit        ▼ readReady …
//      journal          log           peers         readers         callers
//        │ hardStateSaved │ entriesStored
//        └───────────────┴──▶ back into Raft
//
// `Raft.receive(_:into:)` is one decision. Its effects are performed in the order in which they stand,
// and none has to wait for another: an effect may be begun as soon as those before it are begun.
// What must not happen before something is on the disk - a vote, an acknowledgement, the leader
// counting itself - the core holds back until the disk's completion has come in as an input. Writes
// to one log are begun, and completed, in order; so are saves of the hard state.
//
// The core knows entries by term, size and kind. Their content, the files, the clock and the network
// are the shell's: `Replication` in production and in the simulator, `RaftScenarios` in stories.
//
// Begin with `Raft`, `Input` and `Effect`; `Commitment` decides what is committed.
