// SPDX-License-Identifier: Apache-2.0

// Simulation: seeded histories of a log on a disk that fails, and the model that checks them.
//
//     Simulator ── seed ──▶ LogHistory ── steps ──▶ Log ──▶ SimulatedFileSystem
//                              │                     │
//                              └──── LogModel ◀── compare
//
// `Simulator` runs one `LogHistory` a seed. A history draws its settings and its steps from the
// seed: append, sync in three parts, read by offset and by time, retain, delete, roll, stop in
// order, power cut, process end, a stop in the midst of any call, EIO, ENOSPC. `HistoryProducer`s are
// idempotent: they repeat, reorder and give up. `LogModel` says after each step what must hold. A
// `HistoryFailure` names the seed that shows it again. `Sabotage` puts
// bugs in, to see that they are found.
