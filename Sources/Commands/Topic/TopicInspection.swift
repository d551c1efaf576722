// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import CordwoodClient
internal import Faults

/// `cordwood topic describe`.
struct TopicDescribeCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "describe", abstract: "Show a topic, its partitions and its settings.",
        usage: "cordwood topic describe TOPIC [options]",
        discussion: examples(
            "cordwood topic describe orders", "cordwood topic describe orders -o json"))

    @Argument(help: "The topic.")
    var topic: String

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        let description = try await connection.withClient(in: session) { client in
            try await client.describeTopic(topic)
        }
        let partitions = Listing(description.partitions.map(Self.fields))
        guard output.format == .table else {
            guard case .object(var members) = TopicRow(description.topic).json else { return }
            members.append(.init("partition_states", .array(partitions.objects)))
            return try await session.output.write(JSON.object(members).text + "\n")
        }
        let settings = TopicConfigCommand.listing(of: description.topic)
        try await session.output.write(
            "\(topic)  \(description.topic.id)\n\n\(partitions.table())\n\(settings.table())")
    }

    private static func fields(_ partition: PartitionDescription) -> [Listing.Field] {
        let damaged = partition.damaged.map {
            "\($0.lowerBound.rawValue)-\($0.upperBound.rawValue)"
        }
        let ranges = partition.damaged.map { range in
            JSON.object([
                .init("start", .number(range.lowerBound.rawValue)),
                .init("end", .number(range.upperBound.rawValue)),
            ])
        }
        return [
            .count("partition", partition.number), .text("state", partition.state),
            .count("start", Int(partition.logStartOffset.rawValue)),
            .count("end", Int(partition.highWatermark.rawValue)),
            .count("records", partition.recordCount), .bytes("bytes", partition.sizeBytes),
            .count("segments", partition.segmentCount),
            Listing.Field(
                name: "damaged", json: .array(ranges),
                text: damaged.isEmpty ? nil : damaged.joined(separator: " "), isNumber: false),
        ]
    }
}

/// `cordwood topic config`.
struct TopicConfigCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show or change the settings of a topic.",
        usage: "cordwood topic config TOPIC [--set name=value] [--reset name]",
        discussion: examples(
            "cordwood topic config orders",
            "cordwood topic config orders --set retention.ms=7d --reset segment.bytes"))

    @Argument(help: "The topic.")
    var topic: String

    @Option(
        help: ArgumentHelp(
            "A setting and its new value; may be repeated.", valueName: "name=value"),
        transform: TopicSettingText.init)
    var set: [TopicSettingText] = []

    @Option(
        help: ArgumentHelp(
            "A setting to put back to the server's default; may be repeated.", valueName: "name"))
    var reset: [String] = []

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        let found = try await connection.withClient(in: session) { client in
            if set.isEmpty, reset.isEmpty { return try await client.describeTopic(topic).topic }
            return try await client.configureTopic(
                topic, set: TopicSettingText.values(set), reset: reset)
        }
        try await session.output.write(Self.listing(of: found).text(as: output.format))
    }

    /// The settings of a topic, and which are its own.
    static func listing(of topic: Topic) -> Listing {
        Listing(
            topic.settings.map { setting in
                [
                    .text("setting", setting.name),
                    Listing.Field(
                        name: "value", json: .string(setting.value),
                        text: TopicSettingText.readable(setting), isNumber: false),
                    .text("source", setting.isSet ? "topic" : "default"),
                ]
            })
    }
}

/// `cordwood topic trim`.
struct TopicTrimCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "trim", abstract: "Delete the oldest records of a topic.",
        usage: "cordwood topic trim TOPIC --before PLACE [options]",
        discussion: examples(
            "cordwood topic trim orders --before @-7d",
            "cordwood topic trim orders --before 1200 -p 0 --yes",
            "Records before the place go; it is written as in `cordwood consume --from`."))

    @Argument(help: "The topic.")
    var topic: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The first record to keep: an offset, @2026-01-31T10:00Z, @-7d, -1000 or end.",
            valueName: "place"),
        transform: StartText.option)
    var before: StartText

    @Option(name: [.short, .long], help: "The partition; may be repeated. (default: all)")
    var partition: [Int] = []

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        let rows = try await connection.withClient(in: session) { client in
            let found = try await client.listOffsets(
                topic, partitions: partition.isEmpty ? nil : partition,
                at: before.position(now: session.now()))
            let count = found.reduce(0) { $0 + max(0, $1.offset.distance(from: $1.logStartOffset)) }
            if !yes, count > 0 {
                try await Confirmation.ask(
                    "This deletes \(HumanText.noun(count, "record")) of \(topic).", name: topic,
                    repeated: "the same command with --yes", session)
            }
            var rows: [[Listing.Field]] = []
            for place in found {
                let start = try await client.deleteRecords(
                    topic, partition: place.partition, before: place.offset)
                rows.append([
                    .count("partition", place.partition), .count("start", Int(start.rawValue)),
                    .count("deleted", max(0, start.distance(from: place.logStartOffset))),
                ])
            }
            return rows
        }
        try await session.output.write(Listing(rows).text(as: output.format))
    }
}
