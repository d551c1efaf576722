// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import CordwoodClient
internal import Faults

/// `cordwood group reset`.
struct GroupResetCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Let a group go on elsewhere.",
        usage: "cordwood group reset GROUP --to PLACE | --shift NUMBER [options]",
        discussion: examples(
            "cordwood group reset billing --topic orders --to @-1h --dry-run",
            "cordwood group reset billing --topic orders -p 0 --shift -100 --yes",
            """
            The group must have no members. PLACE is written as in `cordwood consume --from`; an \
            offset that a partition does not have becomes the nearer end of it. A group that does \
            not exist yet is made if a topic is named.
            """))

    @Argument(help: "The group.")
    var group: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "start, end, -10 (the last ten), an offset, @2026-01-31T10:00Z or @-15m.",
            valueName: "place"),
        transform: StartText.option)
    var to: StartText?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "So many records on from where the group is, or back: 1, -100.", valueName: "number"))
    var shift: Int?

    @Option(
        name: [.short, .long],
        help: "The topic; may be repeated. (default: all that the group has committed offsets of)")
    var topic: [String] = []

    @Option(
        name: [.short, .long], help: "The partition of the topic; may be repeated. (default: all)")
    var partition: [Int] = []

    @Flag(help: "Show what would be done, and do nothing.")
    var dryRun = false

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    func check() throws(Fault) {
        guard (to == nil) != (shift == nil) else {
            throw Fault(
                .invalidUsage,
                to == nil
                    ? "it is not said where \(group) is to go on"
                    : "--to and --shift both say where \(group) is to go on",
                hint: "Give --to start, --to end, --to @-15m, or --shift -100.")
        }
        if !partition.isEmpty, topic.count != 1 {
            throw Fault(
                .invalidUsage, "a partition is one of a topic, and \(topic.count) are named",
                hint: "Give --topic once with --partition.")
        }
    }

    func perform(in session: Session) async throws {
        let target = target
        let topics = topic.map {
            TopicPartitions($0, partitions: partition.isEmpty ? nil : partition)
        }
        let resets = try await connection.withClient(in: session) { client in
            let planned = try await client.resetOffsets(
                of: group, topics: topics, to: target, dryRun: true)
            guard !dryRun, !planned.isEmpty else { return planned }
            if !yes {
                let count = HumanText.noun(planned.count, "partition")
                try await Confirmation.ask(
                    "This moves \(group) to other offsets in \(count).", name: group,
                    repeated: "the same command with --yes, or with --dry-run to see", session)
            }
            return try await client.resetOffsets(of: group, topics: topics, to: target)
        }
        try await session.output.write(
            Listing(resets.map { GroupRows.fields(of: $0) }).text(as: output.format))
        if resets.isEmpty {
            session.talk.say("\(group) has committed no offsets; name a topic with --topic")
        } else if dryRun {
            session.talk.say("nothing was changed")
        }
    }

    private var target: OffsetTarget {
        switch to {
        case .position(let position): .position(position)
        case .ago(let milliseconds): .ago(.milliseconds(milliseconds))
        case nil: .shift(shift ?? 0)
        }
    }
}
