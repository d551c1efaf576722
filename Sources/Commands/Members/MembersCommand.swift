// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import CordwoodClient
internal import Faults

/// `cordwood members`.
struct MembersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "members",
        abstract: "See who is in the cluster, and talk to all members.",
        discussion: examples(
            "cordwood members list",
            "cordwood members join 10.0.0.7:8401",
            """
            Servers find and watch each other by gossip, in the protocol of Serf; its own agent can \
            join them. The server that is named, or the one on this machine, carries it out.
            """),
        subcommands: [
            MembersListCommand.self, MembersJoinCommand.self, MembersLeaveCommand.self,
            MembersForceLeaveCommand.self, MembersEventCommand.self, MembersQueryCommand.self,
            MembersKeysCommand.self, MembersRoundTripCommand.self,
            MembersReachabilityCommand.self,
        ])
}

/// `cordwood members join`.
struct MembersJoinCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "join", abstract: "Let the server join members, and through them all others.",
        usage: "cordwood members join ADDRESS... [options]",
        discussion: examples(
            "cordwood members join 10.0.0.7:8401",
            "cordwood members join seeds.example.org --replay -o json",
            """
            Port 8401 where none is named. A server joins the members of gossip.seeds by itself, and \
            again after it has lost all others; this is for what the settings do not know.
            """))

    @Argument(help: ArgumentHelp("Where members gossip.", valueName: "address"))
    var addresses: [String]

    @Flag(help: "Also deliver the user events that were sent before.")
    var replay = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        let outcome = try await connection.withClient(in: session) { client in
            try await client.joinMembers(addresses, replayEvents: replay)
        }
        for failure in outcome.failures {
            session.talk.say("\(failure.address): \(Listing.printable(failure.reason))")
        }
        guard output.format != .table else {
            session.talk.say("joined \(HumanText.noun(outcome.joined, "address", "addresses"))")
            return
        }
        let failures = outcome.failures.map { failure in
            JSON.object([
                .init("address", .string(failure.address)),
                .init("reason", .string(failure.reason)),
            ])
        }
        let object = JSON.object([
            .init("joined", .number(outcome.joined)), .init("failures", .array(failures)),
        ])
        try await session.output.write(object.text + "\n")
    }
}

/// `cordwood members leave`.
struct MembersLeaveCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "leave", abstract: "Let the server leave the cluster.",
        discussion: examples(
            "cordwood members leave", "cordwood members leave --server 10.0.0.7:8400 --yes",
            """
            The others take it as left, not as failed. It goes on to serve records, and takes part \
            again once it is restarted. A server that is stopped leaves by itself.
            """))

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        let address = connection.address(in: session)
        if !yes {
            try await Confirmation.ask(
                "This lets \(address) leave its cluster until it is restarted.", name: "leave",
                repeated: "cordwood members leave --yes", session)
        }
        try await connection.withClient(in: session) { try await $0.leaveMembers() }
        session.talk.say("\(address) has left")
    }
}

/// `cordwood members force-leave`.
struct MembersForceLeaveCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "force-leave", abstract: "Let a failed member count as left.",
        usage: "cordwood members force-leave NAME [--prune] [options]",
        discussion: examples(
            "cordwood members force-leave node-7",
            "cordwood members force-leave node-7 --prune",
            """
            Others try to reach a failed member for a day; one that has left they do not. A member \
            that is alive contradicts, and stays.
            """))

    @Argument(help: "The member.")
    var name: String

    @Flag(help: "Forget it as well, in place of keeping it as left for a day.")
    var prune = false

    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        try await connection.withClient(in: session) { client in
            try await client.forceLeave(name, prune: prune)
        }
        session.talk.say("told all members that \(Listing.printable(name)) is gone")
    }
}

/// `cordwood members event`.
struct MembersEventCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "event", abstract: "Send a user event to all members.",
        usage: "cordwood members event NAME [PAYLOAD | -] [options]",
        discussion: examples(
            "cordwood members event deploy v1.2.3",
            "cordwood members event deploy v1.2.3 --coalesce",
            """
            Name and payload have at most 512 bytes. Servers of Cordwood pass events on and do nothing \
            with them; agents of Serf and programs of yours may.
            """))

    @Argument(help: "The event's name.")
    var name: String

    @Argument(help: "Its content; - reads it from the standard input.")
    var payload: String?

    @Flag(help: "Members may drop all but the latest event of this name.")
    var coalesce = false

    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        let payload = try await MemberPayload.bytes(payload, in: session)
        try await connection.withClient(in: session) { client in
            try await client.sendEvent(name, payload: payload, coalesce: coalesce)
        }
        session.talk.say(
            "sent \(Listing.printable(name)), \(HumanText.noun(payload.count, "byte"))")
    }
}

/// `cordwood members rtt`.
struct MembersRoundTripCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rtt", abstract: "Estimate the time of a packet to a member and back.",
        usage: "cordwood members rtt MEMBER [MEMBER] [options]",
        discussion: examples(
            "cordwood members rtt node-2", "cordwood members rtt node-2 node-3 -o json",
            """
            Nothing is sent: members learn their places in the network from the times that their probes \
            take, and the distance of two places is the estimate. It settles within some minutes.
            """))

    @Argument(help: "A member.")
    var member: String

    @Argument(help: "Another one. (default: the server that is asked)")
    var other: String?

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        let trip = try await connection.withClient(in: session) { client in
            try await client.roundTrip(from: member, to: other)
        }
        let row: [Listing.Field] = [
            .text("from", trip.from), .text("to", trip.to),
            Listing.Field(
                name: "rtt_ms", json: .decimal(trip.time.seconds * 1000),
                text: HumanText.milliseconds(trip.time), isNumber: true),
        ]
        guard output.format != .json else {
            let object = JSON.object(row.map { .init($0.name, $0.json) })
            return try await session.output.write(object.text + "\n")
        }
        try await session.output.write(Listing([row]).text(as: output.format))
    }
}

/// What events and queries carry.
enum MemberPayload {
    /// More than any event or query may have.
    private static let sizeMax = 9 << 10

    /// The bytes of an argument: itself, nothing where there is none, or the standard input for `-`.
    static func bytes(_ argument: String?, in session: Session) async throws -> [UInt8] {
        guard argument == "-" else { return Array((argument ?? "").utf8) }
        return try await session.input.readAll(limit: sizeMax)
    }
}
