// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import CordwoodClient
internal import Faults

/// `cordwood consume`: a topic's records to the standard output.
struct ConsumeCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "consume",
        abstract: "Print the records of a topic.",
        usage: "cordwood consume TOPIC [options]",
        discussion: examples(
            "cordwood consume orders --follow",
            #"cordwood consume orders --from @-15m -f '%o %k %v\n'"#,
            """
            Begins at the start and ends at the end that the topic has now, unless told otherwise.

            On a terminal each record is a line with its place and key. Elsewhere, or with -o raw,
            the values' own bytes are printed, each with a newline behind it: what was produced
            from a file comes out as it went in.

            FORMAT (-f): \(RecordTemplate.fields)
            """))

    @Argument(help: "The topic to read.")
    var topic: String

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "start, end, -10 (the last ten), an offset, @2026-01-31T10:00Z or @-15m.",
            valueName: "place"),
        transform: StartText.option)
    var from = StartText.position(.start)

    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp("End after so many records.", valueName: "number"))
    var count: Int?

    @Flag(help: "Wait for more records at the end.")
    var follow = false

    @Option(
        name: [.short, .long], help: "The partition to read; may be repeated. (default: all)")
    var partition: [Int] = []

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(#"How a record is printed, such as '%k\t%v\n'."#))
    var format: String?

    @Option(
        name: [.customShort("D"), .long],
        help: ArgumentHelp(
            #"What stands behind each value with -o raw (default: '\n')."#, valueName: "text"))
    var delimiter: String?

    @Option(
        name: [.short, .customLong("output")],
        help: ArgumentHelp(
            "raw, table, json or jsonl. (default: table on a terminal, raw elsewhere)",
            valueName: "format"))
    var output: RecordOutput?

    @OptionGroup var connection: ClientOptions

    func check() throws(Fault) {
        if format != nil, output != nil || delimiter != nil {
            throw Fault(
                .invalidUsage, "--format says all about how records are printed",
                hint: "Leave --output and --delimiter out.")
        }
        if let output, output != .raw, delimiter != nil {
            throw Fault(
                .invalidUsage, "--delimiter is for -o raw", hint: "Leave one of them out.")
        }
        if let count, count < 1 {
            throw Fault(.invalidUsage, "the number of records is \(count)", hint: "-n 10")
        }
        _ = try form(isTerminal: false)
    }

    /// How records are printed.
    func form(isTerminal: Bool) throws(Fault) -> RecordPrinter.Form {
        if let format { return .template(try RecordTemplate(format)) }
        let isRaw = !isTerminal || delimiter != nil
        switch output ?? (isRaw ? .raw : .table) {
        case .raw: return .raw(delimiter: try EscapedText.bytes(delimiter ?? "\n"))
        case .table: return .table
        case .json: return .json
        case .jsonl: return .jsonl
        }
    }

    func perform(in session: Session) async throws {
        let printer = RecordPrinter(try form(isTerminal: session.output.isTerminal))
        var run = Run(printer: printer, session: session, remaining: count ?? .max)
        do {
            try await connection.withClient(in: session) { client in
                try await client.withConsumer(
                    topic, partitions: partition.isEmpty ? nil : partition,
                    from: from.position(now: session.now()), follow: follow
                ) { consumer in
                    try await print(consumer, &run)
                }
            }
        } catch  where follow && Task.isCancelled && !(error is Output.ReaderIsGone) {
            // Ctrl-C is how following ends; there is nothing wrong with it.
        }
        session.talk.endProgress()
        if session.output.isFile {
            session.talk.remark(HumanText.noun(run.recordCount, "record"))
        }
    }

    /// Bytes that are gathered before they are written, where nobody waits for them.
    private static let pieceBytes = 256 << 10

    private struct Run {
        var printer: RecordPrinter
        let session: Session
        var remaining: Int
        var recordCount = 0
        var buffer: [UInt8] = []
        let began = ContinuousClock.now
    }

    private func print(_ consumer: Consumer, _ run: inout Run) async throws {
        run.buffer += run.printer.opening.utf8
        for try await batch in consumer.batches {
            let place = RecordPlace(topic: batch.topic, partition: batch.partition)
            for record in batch.records.prefix(run.remaining) {
                run.printer.append(record, from: place, to: &run.buffer)
                run.recordCount += 1
                run.remaining -= 1
                if run.buffer.count >= Self.pieceBytes { try await flush(&run) }
            }
            if run.remaining == 0 { break }
            if follow || run.session.output.isTerminal { try await flush(&run) }
            if run.session.output.isFile, !follow {
                run.session.talk.show(
                    ProgressLine(
                        done: run.recordCount, total: nil, unit: .records,
                        elapsed: .now - run.began))
            }
        }
        run.buffer += run.printer.closing.utf8
        try await flush(&run)
    }

    private func flush(_ run: inout Run) async throws {
        try await run.session.output.write(run.buffer)
        run.buffer.removeAll(keepingCapacity: true)
    }
}

/// How records are printed.
enum RecordOutput: String, Sendable, CaseIterable, ExpressibleByArgument {
    case raw
    case table
    case json
    case jsonl
}
