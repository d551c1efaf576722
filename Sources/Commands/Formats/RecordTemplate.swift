// SPDX-License-Identifier: Apache-2.0

internal import Faults

/// A format such as `%k\t%v\n`, taken apart: bytes that stand for themselves, and fields.
struct RecordTemplate: Equatable, Sendable {
    /// A part of a record, or something about it.
    enum Field: Character, CaseIterable, Sendable {
        case topic = "t"
        case partition = "p"
        case offset = "o"
        case key = "k"
        case value = "v"
        case headers = "h"
        case milliseconds = "T"
        case time = "d"
        case keyLength = "K"
        case valueLength = "S"
    }

    /// What stands in a format.
    enum Piece: Equatable, Sendable {
        case literal([UInt8])
        case field(Field)
    }

    var pieces: [Piece] = []

    /// Takes a format apart.
    ///
    /// `%s` is the value too, as in kcat.
    init(_ text: String) throws(Fault) {
        var literal = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            guard character == "%" else {
                literal.append(character)
                // An escaped percent sign stands for itself, and so does what a backslash takes.
                if character == "\\", let escaped = rest.popFirst() { literal.append(escaped) }
                continue
            }
            guard let letter = rest.popFirst() else {
                throw Fault(.invalidUsage, "'\(text)' ends in a single %", hint: Self.fields)
            }
            if letter == "%" {
                literal.append("%")
                continue
            }
            guard let field = letter == "s" ? .value : Field(rawValue: letter) else {
                throw Fault(.invalidUsage, "there is no field %\(letter)", hint: Self.fields)
            }
            try flush(&literal)
            pieces.append(.field(field))
        }
        try flush(&literal)
    }

    private mutating func flush(_ literal: inout String) throws(Fault) {
        guard !literal.isEmpty else { return }
        pieces.append(.literal(try EscapedText.bytes(literal)))
        literal = ""
    }

    /// What the fields mean, in a line.
    static let fields =
        "%t topic, %p partition, %o offset, %k key, %v or %s value, %h headers, %T time in ms, "
        + "%d time, %K and %S sizes of key and value, %% percent."
}
