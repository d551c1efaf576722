// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import NIOCore

/// Memory that batches are read into from the disk and sent from, without a copy in between.
///
/// The batches' bytes are slices of one `ByteBuffer`, which a socket takes as they are.
final class SocketMemory {
    /// What is read is in here.
    let buffer: ByteBuffer
    private let start: UnsafeMutableRawBufferPointer

    private init(count: Int) {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        buffer.moveWriterIndex(forwardBy: count)
        // The pointer outlives the closure that gives it. It stays valid: the storage is memory of
        // the heap that moves only when the buffer grows or is written to while it is shared, and
        // this one is not written to again.
        start = buffer.withUnsafeMutableReadableBytes { $0 }
        self.buffer = buffer
    }

    /// Gives a read its memory.
    static let source: BatchMemory.Source = { count in
        let memory = SocketMemory(count: count)
        return BatchMemory(memory.start, keptBy: memory)
    }
}
