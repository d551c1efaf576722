// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import CommitLog
internal import Faults
internal import PosixDisk

internal import struct Records.BatchHeader

/// `cordwood debug dump-segment`.
struct DebugDumpCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "dump-segment", abstract: "Show what stands in a .store file, frame by frame.",
        usage: "cordwood debug dump-segment FILE [options]",
        discussion: examples(
            "cordwood debug dump-segment DIR/00000000000000000000.store",
            "cordwood debug dump-segment DIR/00000000000000000000.store -o jsonl"))

    @Argument(help: "The .store file of a segment.", completion: .file(extensions: ["store"]))
    var file: String

    @OptionGroup var output: OutputOptions

    func perform(in session: Session) async throws {
        let file = file
        let listing = try await BlockingCalls(label: "dump").run {
            var rows: [[Listing.Field]] = []
            try SegmentDump.dump(path: file, on: PosixFileSystem()) { rows.append(Self.fields($0)) }
            return Listing(rows)
        }
        try await session.output.write(listing.text(as: output.format))
        let flawCount = listing.rows.count { $0.first == .text("kind", "flaw") }
        if flawCount > 0 {
            throw Fault(
                .dataLoss,
                "\(HumanText.noun(flawCount, "stretch")) of \(file) cannot be read",
                hint: "cordwood debug verify DIR says whether anything acknowledged is lost")
        }
    }

    private static func fields(_ item: SegmentDump.Item) -> [Listing.Field] {
        switch item {
        case .header(let header):
            row(
                "header", at: 0, size: UInt64(StoreHeader.size), index: header.baseIndex.rawValue,
                offset: header.baseOffset.rawValue,
                note: "group \(hex(header.group)), salt \(hex(header.salt)), "
                    + "made \(TimeText.text(header.created))")
        case .damagedHeader(let reason):
            row("flaw", at: 0, size: UInt64(StoreHeader.size), note: reason)
        case .frame(let frame, let position, let batch):
            row(
                "\(frame.kind)", at: position, size: UInt64(frame.frameLength),
                index: frame.index.rawValue, term: frame.term.rawValue,
                offset: frame.baseOffset.rawValue, records: frame.recordCount,
                note: batch.map(note) ?? "")
        case .flaw(let reason, let position, let count):
            row("flaw", at: position, size: count, note: reason)
        }
    }

    private static func note(_ batch: BatchHeader) -> String {
        let codec = batch.attributes.codec.map { "\($0)" } ?? "unknown"
        return "\(TimeText.text(batch.baseTimestamp)), compression \(codec)"
    }

    private static func row(
        _ kind: String, at position: UInt64, size: UInt64, index: UInt64? = nil,
        term: UInt64? = nil, offset: Int64? = nil, records: Int? = nil, note: String
    ) -> [Listing.Field] {
        func number(_ name: String, _ value: Int64?) -> Listing.Field {
            Listing.Field(
                name: name, json: value.map(JSON.number) ?? .null,
                text: value.map { "\($0)" } ?? "-", isNumber: true)
        }
        return [
            .text("kind", kind), number("position", Int64(clamping: position)),
            number("bytes", Int64(clamping: size)),
            number("index", index.map(Int64.init(clamping:))),
            number("term", term.map(Int64.init(clamping:))), number("offset", offset),
            number("records", records.map(Int64.init)), .text("note", note),
        ]
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
