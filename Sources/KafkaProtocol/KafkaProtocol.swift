// SPDX-License-Identifier: Apache-2.0

// Kafka's messages as values, and their bytes.
//
//     bytes ─KafkaReader─▶ RequestStart, RequestRest, a request ─▶ … ─▶ an answer ─KafkaWriter─▶ bytes
//
// The messages in `Generated/` are made by scripts/generate-kafka from schemas/kafka; what they are
// read and written with is in `Wire/`. `ApiKey` says which requests there are, and in which versions.
//
// Nothing that a peer claims is believed before it was compared with the bytes that came: a count or a
// length costs nothing until what it counts is there.
