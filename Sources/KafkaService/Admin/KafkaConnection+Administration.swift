// SPDX-License-Identifier: Apache-2.0

internal import KafkaProtocol

/// From a request of administration to its handler.
extension KafkaConnection {
    /// The most bytes of such a request: its rows become values, and each has an answer, which take
    /// several times the room.
    private static let administrationBytesMax = 4 << 20

    func handleAdministration(
        _ key: ApiKey, _ reader: inout KafkaReader, _ context: RequestContext, _ answer: Answer
    ) throws(KafkaDecodingError) {
        guard reader.remaining <= Self.administrationBytesMax else {
            return close(
                because: "\(key.name) has \(reader.remaining) bytes, the limit is "
                    + "\(Self.administrationBytesMax)")
        }
        let handlers = handlers
        switch key {
        case .createTopics:
            try run(&reader, key, context, answer) { await handlers.createTopics($0, $1) }
        case .deleteTopics:
            try run(&reader, key, context, answer) { await handlers.deleteTopics($0, $1) }
        case .createPartitions:
            try run(&reader, key, context, answer) { await handlers.createPartitions($0, $1) }
        case .deleteRecords:
            try run(&reader, key, context, answer) { await handlers.deleteRecords($0, $1) }
        case .describeConfigs:
            try run(&reader, key, context, answer) { await handlers.describeConfigs($0, $1) }
        case .alterConfigs:
            try run(&reader, key, context, answer) { await handlers.alterConfigs($0, $1) }
        case .incrementalAlterConfigs:
            try run(&reader, key, context, answer) {
                await handlers.incrementalAlterConfigs($0, $1)
            }
        case .describeCluster:
            try run(&reader, key, context, answer) { await handlers.describeCluster($0, $1) }
        case .describeTopicPartitions:
            try run(&reader, key, context, answer) {
                await handlers.describeTopicPartitions($0, $1)
            }
        case .describeLogDirs:
            try run(&reader, key, context, answer) { await handlers.describeLogDirs($0, $1) }
        default: preconditionFailure("\(key.name) is not administration")
        }
    }
}
