// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore

/// What is known of a topic's setting besides its value.
struct TopicConfigDefinition {
    /// What the broker's default is called among the broker's configurations.
    var brokerName: String
    var kind: ConfigEntry.Kind
    var documentation: String

    private init(_ brokerName: String, _ kind: ConfigEntry.Kind, _ documentation: String) {
        self.brokerName = brokerName
        self.kind = kind
        self.documentation = documentation
    }

    /// The definition of a setting; there is one of each of ``TopicSettings/names`` and
    /// ``TopicSettings/facts``.
    init?(_ name: String) {
        switch name {
        case "cleanup.policy":
            self.init(
                "log.cleanup.policy", .list,
                "What becomes of old segments: they are deleted when retention says so.")
        case "compression.type":
            self.init(
                "compression.type", .string,
                "How batches are compressed: as their producers did.")
        case "durability":
            self.init(
                "durability", .string,
                "What an acknowledgement promises: fsync, interval(milliseconds) or os.")
        case "max.message.bytes":
            self.init("message.max.bytes", .int, "The largest batch of records, in bytes.")
        case "message.timestamp.type":
            self.init(
                "log.message.timestamp.type", .string,
                "Whose timestamps records carry: those of their producers.")
        case "min.insync.replicas":
            self.init(
                "min.insync.replicas", .int,
                "How many replicas must have a record that is acknowledged.")
        case "retention.bytes":
            self.init(
                "log.retention.bytes", .long,
                "Bytes of a partition beyond which its oldest segments are deleted; -1 for none.")
        case "retention.ms":
            self.init(
                "log.retention.ms", .long,
                "Milliseconds after which records are deleted, by whole segments; -1 for never.")
        case "segment.bytes":
            self.init("log.segment.bytes", .int, "Bytes at which a new segment is begun.")
        case "segment.ms":
            self.init(
                "log.roll.ms", .long,
                "Milliseconds after which a new segment is begun, however small the old one is.")
        case "unclean.leader.election.enable":
            self.init(
                "unclean.leader.election.enable", .boolean,
                "Whether a replica that lacks records may lead.")
        default:
            return nil
        }
    }
}
