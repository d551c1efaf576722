// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
internal import Faults

/// What values must be to each other.
enum SettingsRules {
    private struct Rule {
        /// The keys concerned; the first is the one to change.
        var keys: [String]
        /// What must hold, such as `disk.low must be disk.critical or more`.
        var demand: String
        var code = ErrorCode.invalidValue
        var hint: String?
        var holds: (Settings) -> Bool
    }

    private static var rules: [Rule] {
        [
            Rule(
                keys: ["disk.low", "disk.critical"],
                demand: "disk.low must be disk.critical or more",
                holds: { $0.disk.lowBytes >= $0.disk.criticalBytes }),
            Rule(
                keys: ["topics.default.max.message.bytes", "limits.record"],
                demand: "topics.default.max.message.bytes must be limits.record or less",
                holds: { $0.topicDefaults.messageBytesMax <= $0.limits.recordBytes }),
            Rule(
                keys: ["topics.default.segment.bytes", "topics.default.max.message.bytes"],
                demand: """
                    topics.default.segment.bytes must be topics.default.max.message.bytes or more
                    """,
                holds: { $0.topicDefaults.segmentBytes >= $0.topicDefaults.messageBytesMax }),
            Rule(
                keys: ["limits.queue", "limits.record"],
                demand: "limits.queue must be limits.record or more",
                holds: { $0.limits.queueBytes >= $0.limits.recordBytes }),
            Rule(
                keys: ["limits.connection.per_address", "limits.connection.total"],
                demand: "limits.connection.per_address must be limits.connection.total or less",
                holds: { $0.limits.connectionsPerAddress <= $0.limits.connections }),
            Rule(
                keys: ["kafka.groups.session.min", "kafka.groups.session.max"],
                demand: "kafka.groups.session.min must be kafka.groups.session.max or less",
                holds: { $0.kafka.groupSessionMin <= $0.kafka.groupSessionMax }),
            Rule(
                keys: ["listen.grpc.address"],
                demand: "without TLS, listen.grpc.address must be a loopback address",
                code: .plaintextRefused,
                holds: { settings in
                    // Names are looked up when the node starts, and held to the rule then.
                    settings.listen.insecureAllowPlaintext
                        || settings.listen.grpcAddress.isLoopback != false
                }),
            Rule(
                keys: ["listen.kafka.address"],
                demand: "without TLS, listen.kafka.address must be a loopback address",
                code: .plaintextRefused,
                holds: { settings in
                    settings.listen.insecureAllowPlaintext
                        || settings.listen.kafkaAddress?.isLoopback != false
                }),
        ]
    }

    /// A fault for each rule that does not hold.
    static func broken(in loaded: LoadedSettings) -> [Fault] {
        rules.filter { !$0.holds(loaded.settings) }.map { rule in
            let values = rule.keys.compactMap { key in
                loaded.entries.first { $0.key == key }
                    .map { "\($0.key) is \($0.value) (\($0.source))" }
            }
            return Fault(
                rule.code, "\(rule.demand); \(values.joined(separator: ", "))", hint: rule.hint)
        }
    }
}
