// SPDX-License-Identifier: Apache-2.0

// The lowest room: numbers as bytes, and bytes as checksums.
//
// `BigEndian` and `Varint` read and write over raw memory without allocating; `Checksum` is CRC32C in
// hardware where there is some; `SplitMix64` is the generator for all that must be repeatable.
//
// Nothing here knows a format. Bounds are the caller's to check where a name says so, and checked
// here otherwise.
