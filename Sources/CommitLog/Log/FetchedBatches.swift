// SPDX-License-Identifier: Apache-2.0

public import Records

/// Memory that batches are read into, for readers whose bytes have to lie in memory of their own.
///
/// `@unchecked Sendable`: handed from whoever makes it to the read that fills it, and from there to
/// whoever asked, never held by two.
@safe
public struct BatchMemory: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer
    let owner: AnyObject?

    /// Memory that lives as long as its owner does.
    public init(_ bytes: UnsafeMutableRawBufferPointer, keptBy owner: AnyObject) {
        unsafe self.bytes = bytes
        self.owner = owner
    }

    private init(count: Int) {
        unsafe bytes = .allocate(byteCount: count, alignment: 8)
        owner = nil
    }

    /// Makes memory of so many bytes.
    public typealias Source = @Sendable (Int) -> BatchMemory

    /// Memory of the heap.
    public static let heap: Source = { BatchMemory(count: $0) }

    func release() {
        if owner == nil { unsafe bytes.deallocate() }
    }
}

/// Whole batches that were read from a log, without the envelopes they are stored in.
///
/// The bytes are those of one or few reads of the file; the batches are slices of them.
@safe
public final class FetchedBatches: @unchecked Sendable {
    // `@unchecked Sendable`: the memory is filled before the object is handed out, and never
    // changes afterwards.
    private let memory: BatchMemory
    /// Where each batch lies in the memory.
    public let slices: [Range<Int>]
    /// The offset behind the last record of the last batch: where to continue.
    public let nextOffset: Offset
    /// The first offset of the log when this was read.
    public let logStartOffset: Offset
    /// The end of what readers may see when this was read.
    public let highWatermark: Offset

    init(
        memory: BatchMemory, slices: [Range<Int>], nextOffset: Offset,
        logStartOffset: Offset, highWatermark: Offset
    ) {
        self.memory = memory
        self.slices = slices
        self.nextOffset = nextOffset
        self.logStartOffset = logStartOffset
        self.highWatermark = highWatermark
    }

    deinit {
        memory.release()
    }

    /// Who keeps the memory that was given to be read into.
    public var owner: AnyObject? { memory.owner }

    /// Whether there are no batches: the reader is at the end.
    public var isEmpty: Bool { slices.isEmpty }

    /// The bytes of all batches together.
    public var byteCount: Int { slices.reduce(0) { $0 + $1.count } }

    /// Calls `body` with the bytes of each batch in turn.
    ///
    /// They are valid during the call only.
    public func forEachBatch<Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        for slice in slices {
            try unsafe body(UnsafeRawBufferPointer(rebasing: memory.bytes[slice]))
        }
    }
}
