// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import CordwoodClient
internal import Faults

/// `cordwood group`.
struct GroupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group",
        abstract: "Look at consumer groups, move them to other offsets, and delete them.",
        discussion: examples(
            "cordwood group lag billing",
            "cordwood group reset billing --topic orders --to @-1h",
            "Groups are made by their members, which join by Kafka's protocol."),
        subcommands: [
            GroupListCommand.self, GroupDescribeCommand.self, GroupLagCommand.self,
            GroupResetCommand.self, GroupDeleteCommand.self,
        ])
}

/// `cordwood group list`.
struct GroupListCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List consumer groups.",
        discussion: examples(
            "cordwood group list", "cordwood group list --state stable --state empty -o json",
            """
            STATES: stable (members consume), empty (no members), preparing-rebalance (members join), \
            completing-rebalance (partitions are being assigned), dead (being deleted).
            """))

    @Option(
        help: ArgumentHelp("Only groups in this state; may be repeated.", valueName: "state"),
        transform: GroupStateText.option)
    var state: [ConsumerGroup.State] = []

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        let groups = try await connection.withClient(in: session) { client in
            try await client.listGroups(states: state)
        }
        if groups.isEmpty, output.format == .table {
            session.talk.say(
                state.isEmpty
                    ? "there are no groups; a consumer with a group.id makes one"
                    : "there are no groups in this state")
        }
        let listing = Listing(groups.map { GroupRows.fields(of: $0) })
        try await session.output.write(listing.text(as: output.format))
    }
}

/// `cordwood group delete`.
struct GroupDeleteCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a group, or its committed offsets of a topic.",
        usage: "cordwood group delete GROUP [--topic TOPIC] [--yes]",
        discussion: examples(
            "cordwood group delete billing", "cordwood group delete billing --topic orders --yes",
            """
            A group must have no members to be deleted, and no members that read the topic for its \
            offsets of that topic to be deleted. Records are not touched; a member that reads the \
            topic later begins where its auto.offset.reset says.
            """))

    @Argument(help: "The group to delete.")
    var group: String

    @Option(
        name: [.short, .long],
        help: "Delete only the offsets of this topic, and not the group; may be repeated.")
    var topic: [String] = []

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        let said = try await connection.withClient(in: session) { client in
            let description = try await client.describeGroup(group)
            if !topic.isEmpty { return try await deleteOffsets(of: description, client, session) }
            // The server would refuse as well, but only after a person was asked.
            guard description.members.isEmpty else {
                throw Fault(
                    .groupNotEmpty,
                    "\(group) has \(HumanText.noun(description.members.count, "member"))")
            }
            let count = description.offsets.count { $0.committedOffset != nil }
            try await confirm(
                "This deletes \(group) and its \(HumanText.noun(count, "committed offset")).",
                session)
            try await client.deleteGroup(group)
            return "deleted \(group)"
        }
        session.talk.say(said)
    }

    private func deleteOffsets(
        of description: GroupDescription, _ client: CordwoodClient, _ session: Session
    ) async throws -> String {
        let names = topic.joined(separator: ", ")
        let count = description.offsets.count {
            $0.committedOffset != nil && topic.contains($0.topic)
        }
        guard count > 0 else { return "\(group) has committed no offset of \(names)" }
        let offsets = HumanText.noun(count, "committed offset")
        try await confirm("This deletes \(offsets) of \(group) of \(names).", session)
        let deleted = try await client.deleteOffsets(
            of: group, topics: topic.map { TopicPartitions($0) })
        return "deleted \(HumanText.noun(deleted.count, "committed offset")) of \(group)"
    }

    private func confirm(_ question: String, _ session: Session) async throws {
        guard !yes else { return }
        let words = ["cordwood group delete", group] + topic.map { "--topic \($0)" } + ["--yes"]
        try await Confirmation.ask(
            question, name: group, repeated: words.joined(separator: " "), session)
    }
}

/// The state of a group as it is typed: `stable`, `PreparingRebalance`, `preparing-rebalance`.
enum GroupStateText {
    private static let states: [ConsumerGroup.State] = [
        .stable, .empty, .preparingRebalance, .completingRebalance, .dead,
    ]

    /// Reads the value of an option.
    static func option(_ text: String) throws -> ConsumerGroup.State {
        let word = text.lowercased().filter { $0 != "-" && $0 != "_" }
        guard let state = states.first(where: { $0.rawValue.lowercased() == word }) else {
            throw ValidationError(
                "groups are stable, empty, preparing-rebalance, completing-rebalance or dead,"
                    + " not '\(text)'")
        }
        return state
    }
}
