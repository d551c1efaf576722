// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import CordwoodClient
internal import Faults
internal import Synchronization

/// `cordwood members query`.
struct MembersQueryCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Ask all members, or some, and show what they answer.",
        usage: "cordwood members query NAME [PAYLOAD | -] [options]",
        discussion: examples(
            "cordwood members query uptime", "cordwood members query load --tag role=db -o json",
            """
            Each member acknowledges; those that know the query answer too. Servers of Cordwood answer \
            none; agents of Serf do with their event handlers. Answers are waited for as long as --wait \
            says: by default 3.2 s for up to nine members, and longer for more.
            """))

    @Argument(help: "The query's name.")
    var name: String

    @Argument(help: "Its content; - reads it from the standard input.")
    var payload: String?

    @Option(help: ArgumentHelp("Only this member; may be repeated.", valueName: "name"))
    var member: [String] = []

    @Option(
        help: ArgumentHelp(
            "Only members with a tag that this expression finds something in; may be repeated.",
            valueName: "tag=regex"),
        transform: TagFilter.init)
    var tag: [TagFilter] = []

    @Flag(help: "Ask for no acknowledgements.")
    var noAck = false

    @Option(
        help: ArgumentHelp(
            "By how many other members each answer is sent as well: 0 to 8.", valueName: "number"))
    var relay = 0

    @Option(
        help: ArgumentHelp("How long answers are waited for, up to 60s.", valueName: "duration"),
        transform: DurationText.duration)
    var wait: Duration?

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    /// A tag, and what is looked for in its value.
    struct TagFilter: Sendable {
        var tag: String
        var expression: String

        init(_ text: String) throws {
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                throw ValidationError("a tag is written tag=regex, such as role=^db$")
            }
            tag = String(text[..<equals])
            expression = String(text[text.index(after: equals)...])
        }
    }

    func check() throws(Fault) {
        if Set(tag.map(\.tag)).count != tag.count {
            throw Fault(
                .invalidUsage, "a tag is named twice", hint: "Put both into one expression: a|b")
        }
    }

    func perform(in session: Session) async throws {
        var query = MemberQuery(name)
        query.payload = try await MemberPayload.bytes(payload, in: session)
        query.members = member
        query.tags = Dictionary(tag.map { ($0.tag, $0.expression) }) { $1 }
        query.wantsAcknowledgements = !noAck
        query.relayFactor = relay
        query.timeout = wait
        let answers = MemberAnswers()
        let asked = query
        try await connection.withClient(in: session) { client in
            try await client.queryMembers(asked) { answers.take($0) }
        }
        let listing = Listing(answers.rows)
        try await session.output.write(listing.text(as: output.format))
        let (acknowledged, answered) = answers.counts
        var said: [String] = []
        if !noAck { said.append(HumanText.noun(acknowledged, "acknowledgement")) }
        said.append(HumanText.noun(answered, "answer"))
        session.talk.say(said.joined(separator: ", "))
    }
}

/// What members said to a query, by member.
final class MemberAnswers: Sendable {
    private struct Said {
        var hasAcknowledged = false
        var answer: [UInt8]?
    }

    private let said = Mutex<[String: Said]>([:])

    /// Takes note.
    func take(_ news: MemberQuery.News) {
        said.withLock { said in
            switch news {
            case .acknowledged(let name): said[name, default: Said()].hasAcknowledged = true
            case .answered(let name, let payload): said[name, default: Said()].answer = payload
            }
        }
    }

    /// A row for each member that said something, by name.
    var rows: [[Listing.Field]] {
        said.withLock { said in
            said.sorted { $0.key < $1.key }.map { name, said in
                MemberRows.fields(
                    of: name, acknowledged: said.hasAcknowledged, answer: said.answer)
            }
        }
    }

    /// How many acknowledged, and how many answered.
    var counts: (acknowledged: Int, answered: Int) {
        said.withLock { said in
            (said.values.count { $0.hasAcknowledged }, said.values.count { $0.answer != nil })
        }
    }
}

/// `cordwood members reachability`.
struct MembersReachabilityCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "reachability",
        abstract: "Ask every member to acknowledge, and show who does not.",
        discussion: examples(
            "cordwood members reachability", "cordwood members reachability --wait 10s -o json",
            """
            Finds members that probes still reach and packets of others do not. Ends with 5 if one that \
            is taken as alive did not acknowledge in time.
            """))

    @Option(
        help: ArgumentHelp(
            "How long acknowledgements are waited for, up to 60s.", valueName: "duration"),
        transform: DurationText.duration)
    var wait: Duration?

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        let reached = Reached()
        try await connection.withClient(in: session) { client in
            try await client.checkReachability(timeout: wait) { reached.take($0) }
        }
        let rows = reached.rows
        let listing = Listing(rows.map { MemberRows.fields(of: $0.name, reachedAfter: $0.time) })
        try await session.output.write(listing.text(as: output.format))
        let silent = rows.filter { $0.time == nil }.map(\.name)
        guard silent.isEmpty else {
            throw Fault(
                .deadlineExceeded,
                "\(HumanText.noun(silent.count, "member")) of \(rows.count) did not acknowledge: "
                    + Listing.printable(silent.joined(separator: ", ")),
                hint: "Ask again, with --wait 10s; a member that is gone becomes failed by itself.")
        }
        session.talk.say("all of \(HumanText.noun(rows.count, "member")) acknowledged")
    }

    /// Who was asked and who acknowledged when.
    private final class Reached: Sendable {
        private struct State {
            var began = ContinuousClock.now
            var times: [String: Duration?] = [:]
        }

        private let state = Mutex(State())

        func take(_ news: ReachabilityNews) {
            state.withLock { state in
                switch news {
                case .asked(let names):
                    state.began = .now
                    for name in names { state.times[name] = .some(nil) }
                case .acknowledged(let name):
                    state.times[name] = .some(.now - state.began)
                }
            }
        }

        var rows: [(name: String, time: Duration?)] {
            state.withLock { state in
                state.times.sorted { $0.key < $1.key }.map { (name: $0.key, time: $0.value) }
            }
        }
    }
}
