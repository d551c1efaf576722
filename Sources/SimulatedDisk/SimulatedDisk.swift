// SPDX-License-Identifier: Apache-2.0

// A disk in memory that fails as real ones do, by a seed.
//
// `SimulatedFileSystem` keeps for each file what was written and what was synced; `crash()` leaves
// what was synced and of the rest any part. `FaultPlan` says which calls fail. `EffectLog` keeps what
// was done, for the report of a failing history.
//
// Equal seeds and calls have equal effects. One lock, since the door's protocols are Sendable.
