// SPDX-License-Identifier: Apache-2.0

// Stories of the consensus core, told as text.
//
//     scenario file ──▶ Scenario ──▶ ScenarioRunner ──▶ a few Rafts, a network and disks of paper
//                                          └──▶ the file again, with what really happened
//
// A file is a list of commands with what came of each below it. The runner carries the commands out
// and writes the answers; a story holds if the text stays the same.
