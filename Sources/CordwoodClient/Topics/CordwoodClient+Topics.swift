// SPDX-License-Identifier: Apache-2.0

internal import LogAPI
public import Records
internal import Synchronization

extension CordwoodClient {
    /// Creates a topic, and returns once its partitions can be written.
    ///
    /// - Parameters:
    ///   - name: 1 to 249 of `A-Z a-z 0-9 . _ -`.
    ///   - partitions: 1 to 1024; the server's default when `nil`.
    ///   - settings: Those that differ from the server's defaults, such as `retention.ms`.
    ///   - validateOnly: Check the request and create nothing.
    /// - Throws: ``CordwoodError/Code/topicExists``, ``CordwoodError/Code/invalidTopicName``,
    ///   ``CordwoodError/Code/invalidPartitionCount``, ``CordwoodError/Code/unknownSetting``,
    ///   ``CordwoodError/Code/invalidSetting``.
    @discardableResult
    public func createTopic(
        _ name: String, partitions: Int? = nil, settings: [String: String] = [:],
        validateOnly: Bool = false
    ) async throws(CordwoodError) -> Topic {
        var request = Cordwood_V1_CreateTopicRequest()
        request.name = name
        if let partitions {
            guard let count = Int32(exactly: partitions), count > 0 else {
                throw CordwoodError(
                    .invalidPartitionCount, "a topic has 1 to 1024 partitions, not \(partitions)")
            }
            request.partitionCount = count
        }
        request.settings = settings
        request.validateOnly = validateOnly
        let answer = try await connection.call { options in
            try await connection.topics.createTopic(request, options: options)
        }
        return Topic(answer.topic)
    }

    /// All topics, by name.
    public func listTopics() async throws(CordwoodError) -> [Topic] {
        let answer = try await connection.call { options in
            try await connection.topics.listTopics(.init(), options: options)
        }
        return answer.topics.map(Topic.init)
    }

    /// A topic and its partitions.
    ///
    /// - Throws: ``CordwoodError/Code/topicNotFound``.
    public func describeTopic(_ name: String) async throws(CordwoodError) -> TopicDescription {
        var request = Cordwood_V1_DescribeTopicRequest()
        request.name = name
        let answer = try await connection.call { options in
            try await connection.topics.describeTopic(request, options: options)
        }
        return TopicDescription(
            topic: Topic(answer.topic), partitions: answer.partitions.map(PartitionDescription.init)
        )
    }

    /// Changes settings of a topic; they act at once.
    ///
    /// - Parameters:
    ///   - name: The topic.
    ///   - set: Settings and their new values.
    ///   - reset: Settings to put back to the server's defaults.
    /// - Throws: ``CordwoodError/Code/topicNotFound``, ``CordwoodError/Code/unknownSetting``,
    ///   ``CordwoodError/Code/invalidSetting``.
    @discardableResult
    public func configureTopic(
        _ name: String, set: [String: String] = [:], reset: [String] = []
    ) async throws(CordwoodError) -> Topic {
        var request = Cordwood_V1_ConfigureTopicRequest()
        request.name = name
        request.set = set
        request.reset = reset
        let answer = try await connection.call { options in
            try await connection.topics.configureTopic(request, options: options)
        }
        return Topic(answer.topic)
    }

    /// Deletes a topic and all its records.
    ///
    /// - Throws: ``CordwoodError/Code/topicNotFound``.
    public func deleteTopic(_ name: String) async throws(CordwoodError) {
        var request = Cordwood_V1_DeleteTopicRequest()
        request.name = name
        _ = try await connection.call { options in
            try await connection.topics.deleteTopic(request, options: options)
        }
        partitionCounts.withLock { _ = $0.removeValue(forKey: name) }
    }

    /// Deletes the records of a partition that stand before an offset.
    ///
    /// - Parameters:
    ///   - topic: The topic.
    ///   - partition: The partition's number.
    ///   - offset: The first offset to keep; all records go when `nil`.
    /// - Returns: The partition's first offset now.
    /// - Throws: ``CordwoodError/Code/topicNotFound``, ``CordwoodError/Code/partitionNotFound``,
    ///   ``CordwoodError/Code/offsetOutOfRange``.
    @discardableResult
    public func deleteRecords(
        _ topic: String, partition: Int, before offset: Offset?
    ) async throws(CordwoodError) -> Offset {
        var request = Cordwood_V1_DeleteRecordsRequest()
        request.topic = topic
        request.partition = try partitionNumber(partition)
        request.beforeOffset = offset?.rawValue ?? -1
        let answer = try await connection.call { options in
            try await connection.topics.deleteRecords(request, options: options)
        }
        return Offset(answer.logStartOffset)
    }

    /// A partition's number as the wire has it.
    func partitionNumber(_ partition: Int) throws(CordwoodError) -> Int32 {
        guard let number = Int32(exactly: partition), number >= 0 else {
            throw CordwoodError(.partitionNotFound, "there is no partition \(partition)")
        }
        return number
    }
}

extension Topic {
    init(_ message: Cordwood_V1_Topic) {
        self.init(
            name: message.name, id: message.id, partitionCount: Int(message.partitionCount),
            settings: message.settings.map {
                Setting(name: $0.name, value: $0.value, isSet: $0.isSet)
            })
    }
}

extension PartitionDescription {
    init(_ message: Cordwood_V1_Partition) {
        self.init(
            number: Int(message.number), logStartOffset: Offset(message.logStartOffset),
            highWatermark: Offset(message.highWatermark), sizeBytes: message.sizeBytes,
            segmentCount: Int(message.segmentCount), state: message.state,
            // A range that ends before it starts is empty.
            damaged: message.damaged.map { Offset($0.start)..<Offset(max($0.start, $0.end)) })
    }
}
