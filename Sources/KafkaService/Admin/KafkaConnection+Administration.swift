// SPDX-License-Identifier: Apache-2.0

internal import KafkaProtocol

/// From a request of administration to its handler.
extension KafkaConnection {
    func handleAdministration(
        _ key: ApiKey, _ reader: inout KafkaReader, _ context: RequestContext, _ answer: Answer
    ) throws(KafkaDecodingError) {
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
