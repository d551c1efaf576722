// SPDX-License-Identifier: Apache-2.0

// Packed records, opened and made.
//
// `Codec` is the door, with Kafka's numbers; behind it stand `Gzip`, over the system's zlib, and
// `Snappy`, `LZ4` and `Zstandard`, over libraries that the room CCodecs finds when they are first
// needed. Opening is needed only where records are looked at: batches are stored and sent packed.
//
// Whatever packed bytes claim, no more comes out than the caller's limit, and memory is taken step by
// step as bytes come out: `StepwiseOutput`.
