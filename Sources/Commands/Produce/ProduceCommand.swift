// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import CordwoodClient
internal import Faults

/// `cordwood produce`: lines, or a file, into a topic.
struct ProduceCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "produce",
        abstract: "Append records to a topic: one a line, from the standard input or a file.",
        usage: "cordwood produce TOPIC [options]",
        discussion: examples(
            #"echo '{"id":1}' | cordwood produce orders -k u42"#,
            "cordwood produce logs --file /var/log/syslog",
            """
            With --file, the bytes can be had back exactly: `cordwood consume TOPIC` prints what
            the file held, even where its last line has no newline (that record carries a
            header named \(RecordPrinter.unterminatedHeader)). Order holds within a
            partition, so a file of which the order counts goes to one partition: -p 0.

            A topic that does not exist is created if the server is on this machine, and with
            --create on any other.
            """))

    @Argument(help: "The topic to append to.")
    var topic: String

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("The key of all records; equal keys go to one partition."))
    var key: String?

    @Option(
        name: [.customShort("H"), .long],
        help: ArgumentHelp("A header of all records; may be repeated.", valueName: "name=value"),
        transform: HeaderText.header)
    var header: [Record.Header] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Read this file; - is the standard input, taken as a file."),
        completion: .file())
    var file: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            #"How lines are made up, such as '%k\t%v\n': %k %v %h %p %T %d."#))
    var format: String?

    @Option(
        name: [.customShort("D"), .long],
        help: ArgumentHelp(#"What ends a record (default: '\n')."#, valueName: "text"))
    var delimiter: String?

    @Option(name: [.short, .long], help: "The partition; by key, or in turn, where none is named.")
    var partition: Int?

    @Flag(help: "Take all of the input as one record.")
    var whole = false

    @Flag(
        inversion: .prefixedNo,
        help: "Whether to create a topic that does not exist. (default: on this machine only)")
    var create: Bool?

    @Option(help: "How batches are packed.")
    var compression = CompressionName.none

    @Flag(help: "Never write a record twice, at the price of giving up when the server is lost.")
    var atMostOnce = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    func check() throws(Fault) {
        func refuse(_ what: String, try hint: String) throws(Fault) {
            throw Fault(.invalidUsage, what, hint: hint)
        }
        if whole, format != nil || delimiter != nil {
            try refuse(
                "--whole takes the input as it is", try: "Leave --format and --delimiter out.")
        }
        if format != nil, delimiter != nil {
            try refuse(
                "the format's end is the delimiter",
                try: #"Write the delimiter behind the last field: -f '%k\t%v\n'."#)
        }
        let line = try lineFormat()
        if line.hasKey, key != nil {
            try refuse(
                "the key comes from the format and from --key", try: "Leave one of them out.")
        }
        if line.hasPartition, partition != nil {
            try refuse(
                "the partition comes from the format and from --partition",
                try: "Leave one of them out.")
        }
    }

    /// How the input's records are made up.
    func lineFormat() throws(Fault) -> LineFormat {
        if let format { return try LineFormat(format) }
        let bytes = try delimiter.map { text throws(Fault) in try EscapedText.bytes(text) }
        guard bytes != [] else {
            throw Fault(
                .invalidUsage, "the delimiter is empty",
                hint: "Use --whole for one record of all bytes.")
        }
        return LineFormat(delimiter: bytes ?? [0x0a])
    }

    func perform(in session: Session) async throws {
        let input = try openInput(in: session)
        let began = ContinuousClock.now
        let summary = try await connection.withClient(in: session) { client in
            let count = try await ensureTopic(client, session)
            if file != nil, !whole, count > 1, partition == nil, key == nil {
                session.talk.say(
                    "note: \(topic) has \(count) partitions; -p 0 keeps the lines in order")
            }
            if input.isTerminal, !whole {
                session.talk.remark("each line is a record; Ctrl-D ends")
            }
            var options = ProducerOptions()
            options.batchBytesMax = 256 << 10
            options.windowBytesMax = 16 << 20
            options.compression = compression.option
            options.guarantee = atMostOnce ? .atMostOnce : .atLeastOnce
            let feeder = try RecordFeeder(self, input: input, talk: session.talk)
            return try await client.withProducer(topic, options) { producer in
                try await feeder.feed(producer)
            }
        }
        try await report(summary, in: .now - began, session)
    }

    private func openInput(in session: Session) throws -> Input {
        guard let file, file != "-" else { return session.input }
        return try Input.file(file)
    }

    /// Sees to it that the topic is there, and says how many partitions it has.
    private func ensureTopic(_ client: CordwoodClient, _ session: Session) async throws -> Int {
        if let count = try await partitionCount(client, session) { return count }
        do {
            let made = try await client.createTopic(topic)
            session.talk.say(
                "created \(topic), \(HumanText.noun(made.partitionCount, "partition"))")
            return made.partitionCount
        } catch {
            // Somebody else may have been quicker.
            guard error.code == .topicExists else { throw error }
            return try await client.describeTopic(topic).topic.partitionCount
        }
    }

    /// How many partitions the topic has; `nil` if it is not there and may be created.
    private func partitionCount(
        _ client: CordwoodClient, _ session: Session
    ) async throws(CordwoodError) -> Int? {
        do {
            return try await client.describeTopic(topic).topic.partitionCount
        } catch {
            guard error.code == .topicNotFound else { throw error }
            if create ?? connection.isLocal(in: session) { return nil }
            var missing = error
            if create == nil { missing.hint = "cordwood produce \(topic) --create" }
            throw missing
        }
    }

    private func report(
        _ summary: RecordFeeder.Summary, in time: Duration, _ session: Session
    ) async throws {
        switch output.format {
        case .table:
            let style = session.talk.style
            session.talk.endProgress()
            session.talk.say(
                style.green(summary.placesText(topic: topic) ?? topic)
                    + "  \(HumanText.noun(summary.recordCount, "record")), "
                    + "\(HumanText.bytes(Double(summary.byteCount))) in "
                    + HumanText.duration(time))
        case .json, .jsonl:
            let places = summary.places.map { places in
                JSON.array(
                    places.map { place in
                        .object([
                            .init("partition", .number(place.partition)),
                            .init("first_offset", .number(place.first.rawValue)),
                            .init("last_offset", .number(place.last.rawValue)),
                        ])
                    })
            }
            let object = JSON.object([
                .init("topic", .string(topic)), .init("records", .number(summary.recordCount)),
                .init("bytes", .number(summary.byteCount)),
                .init("seconds", .decimal(time.seconds)), .init("partitions", places ?? .null),
            ])
            try await session.output.write(object.text + "\n")
        }
    }
}

/// The ways to pack batches, as they are typed.
enum CompressionName: String, Sendable, CaseIterable, ExpressibleByArgument {
    case none
    case gzip
    case snappy
    case lz4
    case zstd

    /// What the client calls it.
    var option: ProducerOptions.Compression {
        switch self {
        case .none: .none
        case .gzip: .gzip
        case .snappy: .snappy
        case .lz4: .lz4
        case .zstd: .zstd
        }
    }
}

/// Headers as options take them.
enum HeaderText {
    /// The header that a text such as `type=created` gives.
    static func header(_ text: String) throws -> Record.Header {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
            throw ValidationError("a header is written name=value")
        }
        let value = text[text.index(after: equals)...]
        return Record.Header(String(text[..<equals]), Array(value.utf8))
    }
}
