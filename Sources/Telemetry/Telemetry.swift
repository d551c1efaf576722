// SPDX-License-Identifier: Apache-2.0

// What a process says about itself, in lines.
//
//     Logger ─▶ LineLogHandler ─▶ LogOutput ─▶ RepeatLimiter ─▶ JSONLine or TextLine ─▶ stderr
//
// JSON for machines, coloured text on a terminal. Each line goes out in one write; the same line again
// and again is held back and counted.
