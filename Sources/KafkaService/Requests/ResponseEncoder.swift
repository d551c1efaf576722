// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import KafkaProtocol
internal import NIOCore

/// Makes the bytes of an answer.
enum ResponseEncoder {
    /// Batches from this size on are sent from where they were read to; smaller ones are gathered,
    /// since a piece of a vectored write costs more than copying them.
    private static let sliceSizeMin = 8 << 10

    /// An answer: its length, the response header and the message.
    ///
    /// - Parameter batches: What stands in the message's gaps, in order: stored batches, as they are.
    static func encode(
        _ response: some KafkaMessage, _ key: ApiKey, _ version: Int16, _ correlationID: Int32,
        filling batches: [FetchedBatches] = []
    ) -> AnswerBytes {
        var writer = KafkaWriter()
        writer.write(correlationID)
        if key.responseHeaderVersion(for: version) >= 1 { writer.writeEmptyTags() }
        response.encode(into: &writer, version: version)
        let gaps = writer.gaps.filter { $0.count > 0 }
        precondition(gaps.count == batches.count, "each gap has its batches")
        let batchBytes = gaps.reduce(0) { $0 + $1.count }
        guard let length = Int32(exactly: writer.bytes.count + batchBytes) else {
            return .close("the answer to \(key.name) is larger than the protocol can say")
        }
        var buffers: [ByteBuffer] = []
        var buffer = ByteBufferAllocator().buffer(capacity: 4 + writer.bytes.count)
        buffer.writeInteger(length)
        var written = 0
        for (gap, batches) in zip(gaps, batches) {
            buffer.writeBytes(writer.bytes[written..<gap.position])
            written = gap.position
            append(batches, to: &buffer, &buffers)
        }
        buffer.writeBytes(writer.bytes[written...])
        if buffer.readableBytes > 0 { buffers.append(buffer) }
        return .buffers(buffers)
    }

    private static func append(
        _ batches: FetchedBatches, to buffer: inout ByteBuffer, _ buffers: inout [ByteBuffer]
    ) {
        guard let memory = batches.owner as? SocketMemory else {
            batches.forEachBatch { _ = buffer.writeBytes($0) }
            return
        }
        for slice in batches.slices {
            guard
                let bytes = memory.buffer.getSlice(at: slice.lowerBound, length: slice.count)
            else { preconditionFailure("a batch lies in the memory that it was read into") }
            if slice.count < sliceSizeMin {
                buffer.writeImmutableBuffer(bytes)
                continue
            }
            if buffer.readableBytes > 0 {
                buffers.append(buffer)
                buffer = ByteBufferAllocator().buffer(capacity: 256)
            }
            buffers.append(bytes)
        }
    }
}
