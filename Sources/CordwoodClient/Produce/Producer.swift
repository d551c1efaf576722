// SPDX-License-Identifier: Apache-2.0

public import Records

/// Sends records to one topic, in batches, over one stream.
///
/// Made by ``CordwoodClient/withProducer(_:_:_:)``, and used inside its scope. Many tasks may share
/// a producer; the records of one task reach a partition in the order in which it sent them, but
/// see ``ProducerOptions/batchesInFlightMax``.
///
/// There are three ways to learn what became of a record:
///
/// - ``send(_:to:)`` does not ask. A record that fails makes the next `send`, ``flush()`` and the
///   end of the scope throw.
/// - ``submit(_:to:)`` hands back a ``Delivery``, to be asked later.
/// - ``sendAndWait(_:to:)`` waits.
///
/// When the connection is lost the producer reconnects and goes on, for as long as
/// ``CordwoodClient/Configuration/retryTimeout`` says. What it does with batches whose answer was
/// lost is a matter of choice: see ``ProducerOptions/Guarantee``. Batches that the server refuses
/// for a passing reason, such as a full disk, are sent again for as long.
public struct Producer: Sendable {
    let engine: ProducerEngine

    /// Sends a record; suspends while the window is full.
    ///
    /// - Parameters:
    ///   - record: What to send. Its offset is ignored; without a timestamp it gets the time of now.
    ///   - partition: Where to send it; by the key's hash, or in turn, when `nil`.
    /// - Throws: The failure of an earlier record that was sent in this way, if there was one.
    public func send(_ record: Record, to partition: Int? = nil) async throws(CordwoodError) {
        _ = try await engine.add(record, to: partition, isWatched: false)
    }

    /// Sends a record and hands back a way to learn what became of it; suspends while the window
    /// is full.
    public func submit(
        _ record: Record, to partition: Int? = nil
    ) async throws(CordwoodError) -> Delivery {
        let added = try await engine.add(record, to: partition, isWatched: true)
        return Delivery(
            outcome: added.outcome, topic: engine.topic, partition: added.partition,
            offsetDelta: added.offsetDelta)
    }

    /// Sends a record and waits until it is as durable as the topic says.
    ///
    /// The record shares its batch with those of other tasks, so a single task that sends in this
    /// way waits for ``ProducerOptions/linger`` and a round trip each time.
    @discardableResult
    public func sendAndWait(
        _ record: Record, to partition: Int? = nil
    ) async throws(CordwoodError) -> RecordMetadata {
        try await submit(record, to: partition).metadata
    }

    /// Sends what is waiting and returns once all records sent so far are as durable as the topic
    /// says.
    ///
    /// - Throws: The first failure of a record whose own outcome nobody waits for.
    public func flush() async throws(CordwoodError) {
        try await engine.flush()
    }
}

extension CordwoodClient {
    /// Hands a producer to `body`; when `body` is done, waits until all its records are durable.
    ///
    /// - Parameters:
    ///   - topic: The topic to send to. It must exist.
    ///   - options: How to gather batches, and what to do when the server is lost.
    ///   - body: Uses the producer, which is closed afterwards.
    /// - Returns: What `body` returned, once all records are as durable as the topic says.
    /// - Throws: What `body` throws, and then records that wait are given up;
    ///   ``CordwoodError/Code/topicNotFound``, ``CordwoodError/Code/unreachable`` and others before
    ///   `body` begins; the first failure of a record whose own outcome nobody waits for.
    @discardableResult
    public func withProducer<Result>(
        _ topic: String, _ options: ProducerOptions = .init(),
        _ body: (Producer) async throws -> Result
    ) async throws -> Result {
        try options.check()
        let engine = ProducerEngine(
            topic: topic, partitionCount: try await describeTopic(topic).topic.partitionCount,
            options: options, client: self)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await engine.run() }
            let result = try await body(Producer(engine: engine))
            try await engine.flush()
            group.cancelAll()
            return result
        }
    }
}
