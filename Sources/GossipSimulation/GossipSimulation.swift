// SPDX-License-Identifier: Apache-2.0

// Clusters of Serf nodes that run from a seed, under one clock, in one loop.
//
//     GossipPlan (seed) ──▶ acts ─┐               ┌──▶ GossipWatch: after each step of a node
//                                 ▼               │
//       GossipRun ──▶ events by virtual time ──▶ GossipWorld ──▶ Serf ──▶ effects ─┐
//                                 ▲                                                │
//                                 └──────── packets, streams, ticks, answers ◀─────┘
//
// `GossipSimulator` runs a seed: `GossipPlan` says all that it decides, `GossipRun` does it and looks
// whether the views become one, `GossipWorld` is the machines and what lies between them. The cores
// are the ones of production. `Oracles/` has what must hold, `GossipBounds` how long it may take;
// `GossipFigures` measures how long it takes, beside what the papers predict.
