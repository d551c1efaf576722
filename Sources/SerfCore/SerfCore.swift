// SPDX-License-Identifier: Apache-2.0

// Serf: which members there are, with which tags, who left and who failed; events and questions to all.
//
//     packets, streams, ticks, commands ──▶ Serf ──▶ packets, streams, events, answers
//                                            │
//             Memberlist (SWIM: who is alive)│   SerfLayer (what members say of themselves)
//                    └──────── calls ────────┴──────▶ a synchronous call each
//
// `Serf` is a memberlist and, as its delegate, a `SerfLayer`. It does nothing by itself: whoever runs
// it carries its packets, opens its streams, hands in time, and delivers its events. `Member` is what
// is known of a node, `SerfEvent` what the application is told, `SerfSettings` what may be chosen.
// Equal inputs and an equal seed give equal effects, byte for byte.
