// SPDX-License-Identifier: Apache-2.0

// Packed records, opened and made.
//
// `Codec` is the door, with Kafka's numbers; `Gzip` stands behind it, over the system's zlib. Opening
// is needed only where records are read one by one: batches are stored and sent packed.
//
// Whatever packed bytes claim, no more comes out than the caller's limit, and memory is taken step by
// step as bytes come out.
