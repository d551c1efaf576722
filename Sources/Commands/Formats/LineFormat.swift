// SPDX-License-Identifier: Apache-2.0

internal import CordwoodClient
internal import Faults

/// Takes lines of input apart into keys, values and what else a format such as `%k\t%v\n` names.
struct LineFormat: Sendable, Equatable {
    /// What a line gave.
    struct Parts: Equatable {
        var key: [UInt8]?
        var value: [UInt8] = []
        var headers: [Record.Header] = []
        var partition: Int?
        var timestamp = Timestamp.none
    }

    /// What is wrong with a line.
    struct Mismatch: Error, Equatable {
        var reason: String
    }

    /// What ends a record.
    let delimiter: [UInt8]
    /// Each field, and the bytes that end it; the last takes what is left.
    private let fields: [(field: RecordTemplate.Field, end: [UInt8])]
    /// Bytes in front of the first field.
    private let opening: [UInt8]

    static func == (left: LineFormat, right: LineFormat) -> Bool {
        left.delimiter == right.delimiter && left.opening == right.opening
            && left.fields.elementsEqual(right.fields) { $0 == $1 }
    }

    /// Whether a record is the value and nothing else.
    var isValueOnly: Bool {
        opening.isEmpty && fields.count == 1 && fields[0].field == .value
    }

    /// Whether records name their own keys.
    var hasKey: Bool { fields.contains { $0.field == .key } }
    /// Whether records name their own partitions.
    var hasPartition: Bool { fields.contains { $0.field == .partition } }

    /// The format of lines that are values.
    init(delimiter: [UInt8]) {
        self.delimiter = delimiter
        fields = [(.value, [])]
        opening = []
    }

    /// A format from its text.
    ///
    /// Literal bytes at the end are the delimiter of records; a newline where there are none.
    init(_ text: String) throws(Fault) {
        var pieces = try RecordTemplate(text).pieces
        if case .literal(let bytes)? = pieces.last {
            delimiter = bytes
            pieces.removeLast()
        } else {
            delimiter = [0x0a]
        }
        if case .literal(let bytes)? = pieces.first {
            opening = bytes
            pieces.removeFirst()
        } else {
            opening = []
        }
        var fields: [(field: RecordTemplate.Field, end: [UInt8])] = []
        for piece in pieces {
            switch piece {
            case .literal(let bytes): fields[fields.count - 1].end = bytes
            case .field(let field):
                if let last = fields.last, last.end.isEmpty {
                    throw Fault(
                        .invalidUsage,
                        "nothing stands between %\(last.field.rawValue) and %\(field.rawValue)",
                        hint: #"Put a separator between fields, such as '%k\t%v\n'."#)
                }
                fields.append((field, []))
            }
        }
        try Self.check(fields.map(\.field))
        self.fields = fields
    }

    private static func check(_ fields: [RecordTemplate.Field]) throws(Fault) {
        let readable: [RecordTemplate.Field] = [
            .key, .value, .headers, .partition, .milliseconds, .time,
        ]
        for (number, field) in fields.enumerated() {
            guard readable.contains(field) else {
                throw Fault(
                    .invalidUsage, "%\(field.rawValue) cannot be produced",
                    hint: "Formats of input have %k %v %s %h %p %T %d.")
            }
            guard !fields[..<number].contains(field) else {
                throw Fault(
                    .invalidUsage, "%\(field.rawValue) stands twice in the format",
                    hint: "Name each field once.")
            }
        }
        guard fields.contains(.value) else {
            throw Fault(
                .invalidUsage, "the format has no value",
                hint: #"Write %v where the value stands, such as '%k\t%v\n'."#)
        }
    }

    /// Takes a line apart, without its delimiter.
    func parts(of line: [UInt8]) throws(Mismatch) -> Parts {
        var parts = Parts()
        guard line.starts(with: opening) else {
            throw Mismatch(reason: "it does not begin with '\(Self.text(opening))'")
        }
        var rest = line[opening.count...]
        for (field, end) in fields {
            var content = rest
            if end.isEmpty {
                rest = []
            } else {
                guard let position = Self.position(of: end, in: rest) else {
                    throw Mismatch(
                        reason: "there is no '\(Self.text(end))' behind %\(field.rawValue)")
                }
                content = rest[..<position]
                rest = rest[(position + end.count)...]
            }
            try Self.take(content, as: field, into: &parts)
        }
        return parts
    }

    private static func take(
        _ content: ArraySlice<UInt8>, as field: RecordTemplate.Field, into parts: inout Parts
    ) throws(Mismatch) {
        let text = { String(decoding: content, as: UTF8.self) }
        switch field {
        case .key: parts.key = Array(content)
        case .value: parts.value = Array(content)
        case .headers: parts.headers = try headers(in: content)
        case .partition:
            guard let number = Int(text()), number >= 0 else {
                throw Mismatch(reason: "'\(text())' is no partition")
            }
            parts.partition = number
        case .milliseconds:
            guard let number = Int64(text()) else {
                throw Mismatch(reason: "'\(text())' is no time in milliseconds")
            }
            parts.timestamp = Timestamp(milliseconds: number)
        case .time:
            guard let time = TimeText.time(text()) else {
                throw Mismatch(reason: "'\(text())' is no time such as 2026-01-31T10:00:00Z")
            }
            parts.timestamp = time
        // Refused when the format was read.
        case .topic, .offset, .keyLength, .valueLength: break
        }
    }

    /// Headers such as `a=1,b=2`.
    private static func headers(
        in content: ArraySlice<UInt8>
    ) throws(Mismatch) -> [Record.Header] {
        var headers: [Record.Header] = []
        for pair in content.split(separator: UInt8(ascii: ",")) {
            guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else {
                throw Mismatch(
                    reason: "the header '\(String(decoding: pair, as: UTF8.self))' has no =")
            }
            let name = String(decoding: pair[..<equals], as: UTF8.self)
            headers.append(.init(name, Array(pair[(equals + 1)...])))
        }
        return headers
    }

    private static func position(of needle: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard let first = needle.first else { return nil }
        var rest = bytes
        while let position = rest.firstIndex(of: first) {
            if rest[position...].starts(with: needle) { return position }
            rest = rest[(position + 1)...]
        }
        return nil
    }

    private static func text(_ bytes: [UInt8]) -> String {
        Listing.printable(String(decoding: bytes, as: UTF8.self))
    }
}
