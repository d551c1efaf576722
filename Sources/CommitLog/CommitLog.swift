// SPDX-License-Identifier: Apache-2.0

// One log: batches in, offsets out, through any crash.
//
//     append ─▶ Log ─▶ ActiveSegment ─▶ Store/ frames       LogSnapshot ─▶ Segment ─▶ read
//                │          └─────────▶ Index/ derived         ▲
//                ├─ SyncTicket ─▶ run on any thread ─▶ endSync ┘ the high watermark moves
//                └─ Recovery/ the only way in
//
// Start with `Log`, then `FrameHeader` for the bytes and `RecoveryVerdict` for what a crash may have
// left. `Inspection/` looks into logs that nobody has open, for `cordwood debug`.
//
// Pure: no threads and no clock of its own; the owner says what time it is and runs the syncs.
