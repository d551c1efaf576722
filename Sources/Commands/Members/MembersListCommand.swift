// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import CordwoodClient
internal import Faults

/// `cordwood members list`.
struct MembersListCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the members as the server knows them.",
        discussion: examples(
            "cordwood members list", "cordwood members list --status failed -o json",
            """
            A member is alive, leaving, left or failed; SINCE counts from when this server saw it become \
            so. Members without GRPC are no servers of Cordwood, or say nothing of where they are \
            reached from elsewhere.
            """))

    @Option(
        help: ArgumentHelp("Only members that are so; may be repeated.", valueName: "status"),
        transform: MemberStatusText.option)
    var status: [ClusterMember.Status] = []

    @Flag(name: .shortAndLong, help: "Go on with each change, until Ctrl-C.")
    var follow = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    func check() throws(Fault) {
        if follow, !status.isEmpty {
            throw Fault(
                .invalidUsage, "--follow tells of all members, whatever their status",
                hint: "Leave --status out.")
        }
    }

    func perform(in session: Session) async throws {
        guard !follow else { return try await watch(in: session) }
        let known = try await connection.withClient(in: session) { client in
            try await client.listMembers(statuses: status)
        }
        if known.gossip.state != "running" {
            let detail = known.gossip.detail.isEmpty ? "" : ": \(known.gossip.detail)"
            session.talk.say("gossip is \(known.gossip.state)\(Listing.printable(detail))")
        }
        let now = session.now()
        let listing = Listing(known.members.map { MemberRows.fields(of: $0, now: now) })
        try await session.output.write(listing.text(as: output.format))
    }

    private func watch(in session: Session) async throws {
        let format = output.format
        do {
            try await connection.withClient(in: session) { client in
                try await LineFeed<ClusterMemberChange>.run { feed in
                    try await client.watchMembers(onChange: feed)
                } write: { change in
                    let line = MemberRows.line(of: change, at: session.now(), as: format)
                    try await session.output.write(line)
                }
            }
        } catch  where Task.isCancelled && !(error is Output.ReaderIsGone) {
            // Ctrl-C is how following ends; there is nothing wrong with it.
        }
    }
}

/// The status of a member as it is typed.
enum MemberStatusText {
    /// Reads the value of an option.
    static func option(_ text: String) throws -> ClusterMember.Status {
        let status = ClusterMember.Status(rawValue: text.lowercased())
        guard [.alive, .leaving, .left, .failed].contains(status) else {
            throw ValidationError("members are alive, leaving, left or failed, not '\(text)'")
        }
        return status
    }
}

/// Hands what a callback is told to a writer, one after the other.
enum LineFeed<Element: Sendable> {
    /// Elements that may wait to be written; of more, the oldest are given up.
    private static var waitingMax: Int { 4096 }

    /// Runs `source`, and writes all that it hands over.
    ///
    /// - Throws: What either throws.
    static func run(
        _ source: @escaping @Sendable (@escaping @Sendable (Element) -> Void) async throws -> Void,
        write: @escaping @Sendable (Element) async throws -> Void
    ) async throws {
        let (elements, continuation) = AsyncStream<Element>.makeStream(
            bufferingPolicy: .bufferingNewest(waitingMax))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { continuation.finish() }
                try await source { continuation.yield($0) }
            }
            group.addTask {
                for await element in elements { try await write(element) }
            }
            // Whichever fails first ends the other.
            while try await group.next() != nil {}
        }
    }
}
