// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import CordwoodClient
internal import Faults

/// `cordwood group describe`.
struct GroupDescribeCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "describe", abstract: "Show a group, its members and how far it has come.",
        usage: "cordwood group describe GROUP [options]",
        discussion: examples(
            "cordwood group describe billing", "cordwood group describe billing -o json",
            """
            LAG-SECONDS is the age of the first record that was not consumed yet, by its timestamp; \
            a dash stands where nothing was committed or it cannot be told.
            """))

    @Argument(help: "The group.")
    var group: String

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        let description = try await connection.withClient(in: session) { client in
            try await client.describeGroup(group)
        }
        let members = Listing(description.members.map { GroupRows.fields(of: $0) })
        let offsets = Listing(description.offsets.map { GroupRows.fields(of: $0) })
        guard output.format == .table else {
            var fields = GroupRows.fields(of: description.group)
            // The members themselves stand below in place of their number.
            fields.removeAll { $0.name == "members" }
            let object = JSON.object(
                fields.map { .init($0.name, $0.json) } + [
                    .init("assignor", .string(description.assignor)),
                    .init("generation", .number(description.generation)),
                    .init("members", .array(members.objects)),
                    .init("offsets", .array(offsets.objects)),
                ])
            return try await session.output.write(object.text + "\n")
        }
        var text = Self.headline(description) + "\n"
        if !members.rows.isEmpty { text += "\n\(members.table())" }
        if !offsets.rows.isEmpty { text += "\n\(offsets.table())" }
        try await session.output.write(text)
    }

    private static func headline(_ description: GroupDescription) -> String {
        let group = description.group
        var parts = [group.state.rawValue, HumanText.noun(group.memberCount, "member")]
        if !description.assignor.isEmpty { parts.append("assignor \(description.assignor)") }
        parts += [
            "generation \(description.generation)", "coordinator \(group.coordinator.nodeID)",
        ]
        return Listing.printable("\(group.name)  \(parts.joined(separator: ", "))")
    }
}

/// `cordwood group lag`.
struct GroupLagCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "lag", abstract: "Show how far groups are behind, in records and in seconds.",
        usage: "cordwood group lag GROUP | --all [options]",
        discussion: examples(
            "cordwood group lag billing --watch 2s", "cordwood group lag --all -o jsonl",
            """
            Records are those that are there to be consumed; records that retention removed do not \
            count. Seconds are the age of the first of them, by its timestamp. A dash stands where \
            nothing was committed or it cannot be told.
            """))

    @Argument(help: "The group.")
    var group: String?

    @Flag(help: "All groups, a line for each.")
    var all = false

    @Option(
        help: ArgumentHelp("Show it again so often, until Ctrl-C.", valueName: "duration"),
        transform: DurationText.duration)
    var watch: Duration?

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    func check() throws(Fault) {
        if group != nil, all {
            throw Fault(
                .invalidUsage, "--all shows every group, and one is named too",
                hint: "Leave one of them out.")
        }
        if group == nil, !all {
            throw Fault(
                .invalidUsage, "no group is named",
                hint: "cordwood group lag GROUP, or cordwood group lag --all")
        }
    }

    func perform(in session: Session) async throws {
        do {
            try await connection.withClient(in: session) { client in
                try await show(client, session)
                while let watch {
                    try await Task.sleep(for: watch)
                    if output.format == .table { try await session.output.write("\n") }
                    try await show(client, session)
                }
            }
        } catch  where watch != nil && Task.isCancelled && !(error is Output.ReaderIsGone) {
            // Ctrl-C is how watching ends; there is nothing wrong with it.
        }
    }

    private func show(_ client: CordwoodClient, _ session: Session) async throws {
        let descriptions: [GroupDescription]
        if let group {
            descriptions = [try await client.describeGroup(group)]
        } else {
            descriptions = try await Self.describeAll(client)
        }
        let lags = descriptions.map(GroupLag.init)
        guard output.format == .table else {
            let objects = zip(lags, descriptions).map(Self.json)
            let text =
                group == nil && output.format == .json
                ? Listing.array(objects) : objects.map { $0.text + "\n" }.joined()
            return try await session.output.write(text)
        }
        guard group != nil, let lag = lags.first, let description = descriptions.first else {
            if lags.isEmpty { session.talk.say("there are no groups") }
            return try await session.output.write(Listing(lags.map(\.fields)).table())
        }
        let offsets = Listing(description.offsets.map { GroupRows.fields(of: $0) })
        let table = offsets.rows.isEmpty ? "" : offsets.table() + "\n"
        try await session.output.write(table + lag.text + "\n")
    }

    /// All groups but those that are deleted meanwhile.
    private static func describeAll(_ client: CordwoodClient) async throws -> [GroupDescription] {
        var descriptions: [GroupDescription] = []
        for group in try await client.listGroups() {
            do throws(CordwoodError) {
                descriptions.append(try await client.describeGroup(group.name))
            } catch {
                guard error.code == .groupNotFound else { throw error }
            }
        }
        return descriptions
    }

    private static func json(_ lag: GroupLag, _ description: GroupDescription) -> JSON {
        // The partitions themselves in place of their number.
        let members = lag.fields.filter { $0.name != "partitions" }
            .map { JSON.Member($0.name, $0.json) }
        let offsets = Listing(description.offsets.map { GroupRows.fields(of: $0) })
        return .object(members + [.init("partitions", .array(offsets.objects))])
    }
}
