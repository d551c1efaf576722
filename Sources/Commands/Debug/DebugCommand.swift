// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import CommitLog
internal import Faults
internal import PosixDisk

/// `cordwood debug`.
struct DebugCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "debug",
        abstract: "Look into logs that no server has open, mend them, and listen to gossip.",
        discussion: examples(
            "cordwood debug verify /var/lib/cordwood",
            "cordwood debug dump-segment DIR/00000000000000000000.store"),
        subcommands: [
            DebugDumpCommand.self, DebugVerifyCommand.self, DebugRepairCommand.self,
            DebugGossipCommand.self,
        ])
}

/// `cordwood debug verify`.
struct DebugVerifyCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read all of a data directory and say what is damaged.",
        usage: "cordwood debug verify DIR [options]",
        discussion: examples(
            "cordwood debug verify /var/lib/cordwood",
            "cordwood debug verify ./.cordwood-dev -o json",
            """
            DIR is a data directory, or the folder of one log in it. Changes nothing. Stop the
            server first. Ends with 6 if anything that was acknowledged is damaged.
            """))

    @Argument(help: "A data directory, or the folder of one log.", completion: .directory)
    var directory: String

    @OptionGroup var output: OutputOptions

    func perform(in session: Session) async throws {
        let disk = PosixFileSystem()
        let logs = try LogDirectories(directory, on: disk)
        let began = ContinuousClock.now
        let calls = BlockingCalls(label: "verify")
        var reports: [LogVerifier.Report] = []
        for path in logs.paths {
            let talk = session.talk
            reports.append(
                try await calls.run {
                    try LogVerifier.verify(directory: path, on: disk) { read, total in
                        talk.show(
                            ProgressLine(
                                done: Int(read), total: Int(total), unit: .bytes,
                                elapsed: .now - began))
                    }
                })
        }
        withExtendedLifetime(logs) {}
        session.talk.endProgress()
        let listing = Listing(
            reports.map { Self.fields($0, name: logs.names.name(of: $0.directory)) })
        try await session.output.write(listing.text(as: output.format))
        try Self.judge(reports, session)
    }

    private static func judge(_ reports: [LogVerifier.Report], _ session: Session) throws {
        for damage in reports.flatMap(\.damages) { session.talk.say("damaged: \(damage)") }
        let damaged = reports.filter { !$0.isSound }
        guard damaged.isEmpty else {
            let lost = reports.flatMap(\.damages).reduce(0) { $0 + $1.offsets.count }
            throw Fault(
                .dataLoss,
                "\(HumanText.noun(damaged.count, "log")) of \(reports.count) \(damaged.count == 1 ? "is" : "are") damaged, "
                    + "\(HumanText.noun(lost, "record")) cannot be read",
                hint: "Restore from a copy, or accept the loss: cordwood debug repair DIR")
        }
        let records = reports.reduce(0) { $0 + $1.recordCount }
        session.talk.say(
            "\(HumanText.noun(reports.count, "log")) sound, \(HumanText.noun(records, "record"))")
    }

    private static func fields(
        _ report: LogVerifier.Report, name: String
    ) -> [Listing.Field] {
        let damages = report.damages.map { damage in
            JSON.object([
                .init("start", .number(damage.offsets.lowerBound)),
                .init("end", .number(damage.offsets.upperBound)),
                .init("path", .string(damage.path)),
                .init("position", .number(Int64(clamping: damage.position))),
                .init("reason", .string(damage.reason)),
            ])
        }
        let state =
            !report.isSound ? "damaged" : report.givenUp.isEmpty ? "sound" : "repaired"
        return [
            .text("name", name), .text("state", state), .count("segments", report.segmentCount),
            .count("batches", report.batchCount), .count("records", report.recordCount),
            .bytes("bytes", Int64(clamping: report.byteCount)),
            .count("start", Int(report.offsets.lowerBound)),
            .count("end", Int(report.offsets.upperBound)),
            .count("torn_bytes", Int(clamping: report.tornBytes)),
            .text("log", report.directory), .hidden("damages", .array(damages)),
            .hidden("given_up", .array(report.givenUp.map(Self.range))),
            .hidden("stray_files", .array(report.strayNames.map(JSON.string))),
            .hidden("checkpoint_is_lost", .bool(report.checkpointIsLost)),
        ]
    }

    /// A range of offsets as an object.
    static func range(_ offsets: Range<Int64>) -> JSON {
        .object([
            .init("start", .number(offsets.lowerBound)), .init("end", .number(offsets.upperBound)),
        ])
    }
}

/// `cordwood debug repair`.
struct DebugRepairCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Make damaged logs writable, giving up what is lost.",
        usage: "cordwood debug repair DIR [--yes]",
        discussion: examples(
            "cordwood debug repair /var/lib/cordwood",
            "cordwood debug repair /var/lib/cordwood --yes -o json",
            """
            Damaged bytes stay where they are, in a gap that says which offsets they were; sound
            logs are left alone. Stop the server first, and keep a copy if you can.
            """))

    @Argument(help: "A data directory, or the folder of one log.", completion: .directory)
    var directory: String

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var output: OutputOptions

    func perform(in session: Session) async throws {
        let disk = PosixFileSystem()
        let logs = try LogDirectories(directory, on: disk)
        let calls = BlockingCalls(label: "repair")
        let damaged = try await calls.run {
            try logs.paths.filter {
                !(try LogVerifier.verify(directory: $0, on: disk).isSound)
            }
        }
        if damaged.isEmpty { session.talk.say("nothing is damaged") }
        if !damaged.isEmpty, !yes {
            try await Confirmation.ask(
                "This gives up what is damaged in \(HumanText.noun(damaged.count, "log")).",
                name: "repair", repeated: "cordwood debug repair \(directory) --yes", session)
        }
        var rows: [[Listing.Field]] = []
        for path in damaged {
            let report = try await calls.run { try LogRepair.repair(directory: path, on: disk) }
            rows.append([
                .text("name", logs.names.name(of: path)), .text("log", path),
                .count("given_up", report.givenUp.reduce(0) { $0 + $1.count }),
                .count("renamed", report.renamed.count),
                .hidden("ranges", .array(report.givenUp.map(DebugVerifyCommand.range))),
                .hidden("renamed_files", .array(report.renamed.map(JSON.string))),
            ])
        }
        withExtendedLifetime(logs) {}
        try await session.output.write(Listing(rows).text(as: output.format))
    }
}
