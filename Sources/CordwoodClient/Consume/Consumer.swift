// SPDX-License-Identifier: Apache-2.0

/// The records of a topic's partitions, one after the other.
///
/// Made by ``CordwoodClient/withConsumer(_:partitions:from:follow:bytesMax:_:)``, and iterated
/// inside its scope, by one task at a time. Records of a partition come in order and without gaps;
/// those of different partitions come as they are read. Iterating is what asks for more: while
/// nobody does, the server is held back.
///
/// A connection that is lost is made again, and reading goes on behind the last record that came.
/// It ends with an error when the server stays away for longer than
/// ``CordwoodClient/Configuration/retryTimeout``, or when the records to come were deleted
/// meanwhile (``CordwoodError/Code/offsetOutOfRange``).
public struct Consumer: Sendable, AsyncSequence {
    /// The same records in the batches in which they are stored: faster where there are many.
    public let batches: Batches

    init(_ handoff: Handoff<[ConsumedBatch]>) { batches = Batches(handoff: handoff) }

    /// An iterator; all of a consumer's iterators take from the same records.
    public func makeAsyncIterator() -> Iterator { Iterator(batches: batches.makeAsyncIterator()) }

    /// Takes one record after the other.
    public struct Iterator: AsyncIteratorProtocol {
        private var batches: Batches.Iterator
        private var batch: ConsumedBatch?
        private var position = 0

        init(batches: Batches.Iterator) { self.batches = batches }

        /// The next record; `nil` at the end, which a consumer that follows never reaches.
        ///
        /// - Throws: ``CordwoodError/Code/cancelled`` when the task is cancelled.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(CordwoodError) -> ConsumedRecord? {
            while true {
                if let batch, position < batch.records.count {
                    defer { position += 1 }
                    return ConsumedRecord(
                        topic: batch.topic, partition: batch.partition,
                        record: batch.records[position])
                }
                batch = try await batches.next(isolation: actor)
                position = 0
                if batch == nil { return nil }
            }
        }

        /// The next record; `nil` at the end.
        public mutating func next() async throws(CordwoodError) -> ConsumedRecord? {
            try await next(isolation: #isolation)
        }
    }

    /// A consumer's records, batch by batch.
    public struct Batches: Sendable, AsyncSequence {
        let handoff: Handoff<[ConsumedBatch]>

        /// An iterator; all of a consumer's iterators take from the same records.
        public func makeAsyncIterator() -> Iterator { Iterator(handoff: handoff) }

        /// Takes one batch after the other.
        public struct Iterator: AsyncIteratorProtocol {
            private let handoff: Handoff<[ConsumedBatch]>
            private var waiting: ArraySlice<ConsumedBatch> = []

            init(handoff: Handoff<[ConsumedBatch]>) { self.handoff = handoff }

            /// The next batch; `nil` at the end, which a consumer that follows never reaches.
            ///
            /// - Throws: ``CordwoodError/Code/cancelled`` when the task is cancelled.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(CordwoodError) -> ConsumedBatch? {
                while waiting.isEmpty {
                    guard let batches = try await handoff.take() else { return nil }
                    waiting = batches[...]
                }
                return waiting.popFirst()
            }

            /// The next batch; `nil` at the end.
            public mutating func next() async throws(CordwoodError) -> ConsumedBatch? {
                try await next(isolation: #isolation)
            }
        }
    }
}

extension CordwoodClient {
    /// Reads partitions of a topic from where `start` says.
    ///
    /// - Parameters:
    ///   - topic: The topic to read.
    ///   - partitions: The partitions' numbers; all of them when `nil`.
    ///   - start: Where to begin in each partition.
    ///   - follow: Whether to wait for more records at the end. Otherwise the sequence ends at the
    ///     end that each partition had when this call was made.
    ///   - bytesMax: About how many bytes of batches may wait between the server and the loop, on
    ///     top of the 4 MiB that the connection holds. A batch that is larger still comes whole.
    ///   - body: Iterates over the records.
    /// - Returns: What `body` returned.
    /// - Throws: What `body` throws; ``CordwoodError/Code/topicNotFound``,
    ///   ``CordwoodError/Code/partitionNotFound``, ``CordwoodError/Code/offsetOutOfRange``,
    ///   ``CordwoodError/Code/unreachable`` and others before `body` begins.
    @discardableResult
    public func withConsumer<Result>(
        _ topic: String, partitions: [Int]? = nil, from start: StartPosition = .start,
        follow: Bool = false, bytesMax: Int = 16 << 20,
        _ body: (Consumer) async throws -> Result
    ) async throws -> Result {
        guard bytesMax > 0 else {
            throw CordwoodError(.invalidArgument, "bytesMax is \(bytesMax), and must be positive")
        }
        // Offsets are settled once, here, so that a reconnect neither skips nor repeats records.
        let bounds = try await listOffsets(topic, partitions: partitions, at: start)
        let engine = ConsumerEngine(
            topic: topic, bounds: bounds, follow: follow, bytesMax: bytesMax, client: self)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await engine.run() }
            let result = try await body(Consumer(engine.handoff))
            group.cancelAll()
            return result
        }
    }
}
