// SPDX-License-Identifier: Apache-2.0

internal import LogAPI
public import Records
internal import Synchronization

extension CordwoodClient {
    /// Sends one record and waits until it is as durable as its topic says.
    ///
    /// Each call is a round trip and a write; for many records use ``withProducer(_:_:_:)``. The
    /// call is not repeated by itself: after ``CordwoodError/Code/unreachable`` or
    /// ``CordwoodError/Code/deadlineExceeded`` the record may be in the log all the same.
    ///
    /// - Parameters:
    ///   - topic: The topic to send to. It must exist.
    ///   - record: What to send. Its offset is ignored; without a timestamp it gets the time of now.
    ///   - partition: Where to send it; by the key's hash, or in turn, when `nil`.
    /// - Returns: Where the record went.
    /// - Throws: ``CordwoodError/Code/topicNotFound``, ``CordwoodError/Code/partitionNotFound``,
    ///   ``CordwoodError/Code/batchTooLarge``, ``CordwoodError/Code/diskFull`` and others.
    @discardableResult
    public func produce(
        _ topic: String, _ record: Record, partition: Int? = nil
    ) async throws(CordwoodError) -> RecordMetadata {
        let target = try await choosePartition(topic, key: record.key, explicit: partition)
        let number = try partitionNumber(target)
        var builder = BatchBuilder(capacity: record.sizeInBatch)
        builder.append(
            key: record.key, value: record.value, headers: record.headers,
            timestamp: record.timestamp == .none ? .now() : record.timestamp)
        let request = Cordwood_V1_ProduceRequest(
            builder.finish(nextCapacity: 0), topic: topic, partition: Int(number))
        do {
            let answer = try await connection.call { options in
                try await connection.log.produce(request, options: options)
            }
            return RecordMetadata(
                topic: topic, partition: target, offset: Offset(answer.baseOffset))
        } catch {
            if error.code == .topicNotFound || error.code == .partitionNotFound {
                partitionCounts.withLock { _ = $0.removeValue(forKey: topic) }
            }
            throw error
        }
    }

    /// Sends one record of bytes and waits until it is as durable as its topic says; see
    /// ``produce(_:_:partition:)``.
    @discardableResult
    public func produce(
        _ topic: String, key: [UInt8]? = nil, value: [UInt8]?, headers: [Record.Header] = [],
        timestamp: Timestamp = .none, partition: Int? = nil
    ) async throws(CordwoodError) -> RecordMetadata {
        let record = Record(key: key, value: value, headers: headers, timestamp: timestamp)
        return try await produce(topic, record, partition: partition)
    }

    /// Sends one record of text, as UTF-8, and waits until it is as durable as its topic says; see
    /// ``produce(_:_:partition:)``.
    @discardableResult
    public func produce(
        _ topic: String, key: String? = nil, value: String,
        headers: KeyValuePairs<String, String> = [:], timestamp: Timestamp = .none,
        partition: Int? = nil
    ) async throws(CordwoodError) -> RecordMetadata {
        let record = Record(value, key: key, headers: headers, timestamp: timestamp)
        return try await produce(topic, record, partition: partition)
    }

    /// The partition that a record goes to.
    private func choosePartition(
        _ topic: String, key: [UInt8]?, explicit: Int?
    ) async throws(CordwoodError) -> Int {
        if let explicit { return explicit }
        let count: Int
        if let known = partitionCounts.withLock({ $0[topic] }) {
            count = known
        } else {
            count = try await describeTopic(topic).topic.partitionCount
            partitionCounts.withLock { $0[topic] = count }
        }
        guard let key else { return roundRobin.withLock { $0.partition(of: count) } }
        return Partitioner.partition(forKey: key, count: count)
    }
}
