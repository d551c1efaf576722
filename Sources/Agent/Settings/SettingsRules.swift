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

    private static var rules: [Rule] { limits + listeners + gossip }

    private static var limits: [Rule] {
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
        ]
    }

    private static var listeners: [Rule] {
        [
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

    private static var gossip: [Rule] {
        [
            Rule(
                keys: ["gossip.bind"],
                demand: "without keys, gossip.bind must be a loopback address",
                code: .plaintextRefused,
                hint: """
                    Give all servers the same keys with gossip.keys.file, or accept the risk with \
                    --insecure-allow-plaintext.
                    """,
                holds: { settings in
                    settings.listen.insecureAllowPlaintext || settings.gossip.hasKeys
                        || settings.gossip.bind?.isLoopback != false
                }),
            Rule(
                keys: ["gossip.advertise"],
                demand: "gossip.advertise must be one address, which others can dial",
                hint: "Give the address that the other servers reach this machine at.",
                holds: { ListenAddress($0.gossip.advertise)?.isUnspecified != true }),
            Rule(
                keys: ["gossip.seeds", "gossip.bind", "gossip.advertise"],
                demand: "servers elsewhere cannot reach this one at a loopback address",
                hint: """
                    Set gossip.bind to an address of the network, or gossip.advertise to the one \
                    that the other servers reach this machine at.
                    """,
                holds: { settings in
                    // Names are looked up when the node starts, and held to the rule then.
                    guard settings.gossip.bind != nil,
                        settings.gossip.advertised?.isLoopback == true
                    else { return true }
                    return !settings.gossip.seeds.contains { $0.isLoopback == false }
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
