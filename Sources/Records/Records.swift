// SPDX-License-Identifier: Apache-2.0

// What a log holds, and its bytes.
//
//     Record ──BatchBuilder──▶ BatchBuffer ──RecordBatch.check──▶ a batch as it is stored and sent
//     Record ◀──RecordCursor── bytes of a batch
//
// The bytes are Kafka's RecordBatch v2; `BatchHeader` shows them. A `BatchBuffer` has room in front
// for what the log puts before the batch, so that a batch is never copied to be stored.
// `Offset`, `LogIndex`, `Term` and `Timestamp` are types of their own and do not mix.
