// SPDX-License-Identifier: Apache-2.0

internal import CordwoodClient
internal import Faults
internal import Foundation

/// Where a record was read from.
struct RecordPlace {
    var topic: String
    var partition: Int
}

/// Turns records that were read into bytes for the output.
struct RecordPrinter: Sendable {
    /// How records look.
    enum Form: Sendable, Equatable {
        /// The value's own bytes and a delimiter: what came in from a file goes out again.
        case raw(delimiter: [UInt8])
        /// A line for people.
        case table
        /// One JSON array of objects.
        case json
        /// One JSON object a line.
        case jsonl
        /// As a format says.
        case template(RecordTemplate)
    }

    /// A header of the last record of a file whose last line has no newline.
    ///
    /// Without it the file could not be told from one that has, and `consume` could not give the
    /// same bytes back.
    static let unterminatedHeader = "cordwood.unterminated"

    let form: Form
    private var printed = 0

    init(_ form: Form) { self.form = form }

    /// What stands before the first record.
    var opening: String { form == .json ? "[" : "" }

    /// What stands behind the last record.
    var closing: String {
        guard form == .json else { return "" }
        return printed == 0 ? "]\n" : "\n]\n"
    }

    /// Appends a record.
    mutating func append(_ record: Record, from place: RecordPlace, to bytes: inout [UInt8]) {
        switch form {
        case .raw(let delimiter):
            if let value = record.value { bytes.append(contentsOf: value) }
            if record.headers.isEmpty || !record.isUnterminated {
                bytes.append(contentsOf: delimiter)
            }
        case .table: appendLine(record, place, to: &bytes)
        case .json:
            bytes += (printed == 0 ? "\n  " : ",\n  ").utf8
            RecordJSON.append(record, from: place, to: &bytes)
        case .jsonl:
            RecordJSON.append(record, from: place, to: &bytes)
            bytes.append(0x0a)
        case .template(let template): append(record, place, template, to: &bytes)
        }
        printed += 1
    }

    private func appendLine(_ record: Record, _ place: RecordPlace, to bytes: inout [UInt8]) {
        func text(_ bytes: [UInt8]) -> String {
            Listing.printable(String(decoding: bytes, as: UTF8.self))
        }
        var line = "\(place.topic)[\(place.partition)] @ \(record.offset.rawValue)  "
        if let key = record.key { line += "\(text(key))  " }
        line += record.value.map(text) ?? "(no value)"
        bytes += line.utf8
        bytes.append(0x0a)
    }

    private func append(
        _ record: Record, _ place: RecordPlace, _ template: RecordTemplate, to bytes: inout [UInt8]
    ) {
        for piece in template.pieces {
            switch piece {
            case .literal(let literal): bytes += literal
            case .field(let field): append(field, of: record, place, to: &bytes)
            }
        }
    }

    private func append(
        _ field: RecordTemplate.Field, of record: Record, _ place: RecordPlace,
        to bytes: inout [UInt8]
    ) {
        switch field {
        case .topic: bytes += place.topic.utf8
        case .partition: bytes += "\(place.partition)".utf8
        case .offset: bytes += "\(record.offset.rawValue)".utf8
        case .key: bytes += record.key ?? []
        case .value: bytes += record.value ?? []
        case .headers:
            for (number, header) in record.headers.enumerated() {
                if number > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes += header.name.utf8
                bytes.append(UInt8(ascii: "="))
                bytes += header.value ?? []
            }
        case .milliseconds: bytes += "\(record.timestamp.rawValue)".utf8
        case .time: bytes += TimeText.text(record.timestamp).utf8
        // As kcat has it: -1 tells a missing one from an empty one.
        case .keyLength: bytes += "\(record.key?.count ?? -1)".utf8
        case .valueLength: bytes += "\(record.value?.count ?? -1)".utf8
        }
    }
}

extension Record {
    /// Whether the record was the last line of a file, without a newline.
    fileprivate var isUnterminated: Bool {
        headers.contains { $0.name == RecordPrinter.unterminatedHeader }
    }
}

/// A record as a JSON object.
enum RecordJSON {
    /// Appends a record: keys and values as text, or in base64 under another name where they are
    /// not UTF-8.
    static func append(_ record: Record, from place: RecordPlace, to bytes: inout [UInt8]) {
        let members: [JSON.Member] = [
            .init("topic", .string(place.topic)), .init("partition", .number(place.partition)),
            .init("offset", .number(record.offset.rawValue)),
            .init("timestamp", .string(TimeText.text(record.timestamp))),
            .init("timestamp_ms", .number(record.timestamp.rawValue)),
            content("key", record.key), content("value", record.value),
            .init("headers", .array(record.headers.map(header))),
        ]
        JSON.object(members).append(to: &bytes)
    }

    private static func header(_ header: Record.Header) -> JSON {
        .object([.init("name", .string(header.name)), content("value", header.value)])
    }

    /// Bytes as text, or in base64 under another name where they are not UTF-8.
    static func content(_ name: String, _ bytes: [UInt8]?) -> JSON.Member {
        guard let bytes else { return .init(name, .null) }
        if let text = String(validating: bytes, as: UTF8.self) { return .init(name, .string(text)) }
        return .init("\(name)_base64", .string(Data(bytes).base64EncodedString()))
    }
}
