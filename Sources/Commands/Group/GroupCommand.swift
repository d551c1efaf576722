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
        commandName: "delete", abstract: "Delete a group and its committed offsets.",
        usage: "cordwood group delete GROUP [--yes]",
        discussion: examples(
            "cordwood group delete billing", "cordwood group delete billing --yes",
            """
            The group must have no members. Records are not touched; a member that joins later makes \
            the group anew and begins where its auto.offset.reset says.
            """))

    @Argument(help: "The group to delete.")
    var group: String

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        try await connection.withClient(in: session) { client in
            let description = try await client.describeGroup(group)
            // The server would refuse as well, but only after a person was asked.
            guard description.members.isEmpty else {
                throw Fault(
                    .groupNotEmpty,
                    "\(group) has \(HumanText.noun(description.members.count, "member"))")
            }
            if !yes {
                let count = description.offsets.count { $0.committedOffset != nil }
                try await Confirmation.ask(
                    "This deletes \(group) and its \(HumanText.noun(count, "committed offset")).",
                    name: group, repeated: "cordwood group delete \(group) --yes", session)
            }
            try await client.deleteGroup(group)
        }
        session.talk.say("deleted \(group)")
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
