// SPDX-License-Identifier: Apache-2.0

/// A text that is read scalar by scalar.
///
/// A copy of it is a place to go back to.
struct ScalarReader {
    private let scalars: [Unicode.Scalar]
    private var position = 0

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
    }

    var isAtEnd: Bool { position == scalars.count }

    /// The next scalar, which stays where it is.
    var peek: Unicode.Scalar? { isAtEnd ? nil : scalars[position] }

    /// The next scalar.
    mutating func next() -> Unicode.Scalar? {
        guard let scalar = peek else { return nil }
        position += 1
        return scalar
    }

    /// Steps over a scalar, if it is the next one.
    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        position += 1
        return true
    }

    /// A decimal number of at most four digits; `nil`, and nothing read, if none is next.
    mutating func number() -> Int? {
        var value: Int?
        while let scalar = peek, ScalarSet.digit.contains(scalar) {
            // A greater one is too great whatever follows.
            value = min(10_000, (value ?? 0) * 10 + Int(scalar.value - 48))
            position += 1
        }
        return value
    }

    /// What stands between `\Q` and `\E`, or the end; `nil`, and nothing read, if no `\Q` is next.
    mutating func quotation() -> [Unicode.Scalar]? {
        let start = position
        guard take("\\"), take("Q") else {
            position = start
            return nil
        }
        var quoted: [Unicode.Scalar] = []
        while let scalar = next() {
            if scalar == "\\", take("E") { break }
            quoted.append(scalar)
        }
        return quoted
    }

    /// The class of a letter behind a backslash, such as `d`.
    mutating func perlClass() -> ScalarSet? {
        let set: ScalarSet
        switch peek {
        case "d": set = .digit
        case "D": set = ScalarSet.digit.inverted
        case "s": set = .space
        case "S": set = ScalarSet.space.inverted
        case "w": set = .word
        case "W": set = ScalarSet.word.inverted
        default: return nil
        }
        position += 1
        return set
    }

    /// A class such as `[:alpha:]` within brackets.
    mutating func posixClass() throws(Expression.Problem) -> ScalarSet? {
        let start = position
        guard take("["), take(":") else {
            position = start
            return nil
        }
        let isExcluding = take("^")
        var name = ""
        while let scalar = peek, ScalarSet.word.contains(scalar) {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard take(":"), take("]") else {
            position = start
            return nil
        }
        guard let set = ScalarSet.named[name] else { throw .syntax }
        return isExcluding ? set.inverted : set
    }

    /// The scalar that stands behind a backslash.
    mutating func escapedScalar() throws(Expression.Problem) -> Unicode.Scalar {
        guard let scalar = next() else { throw .syntax }
        switch scalar {
        case "a": return "\u{7}"
        case "f": return "\u{c}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return "\u{b}"
        case "x": return try hexadecimal()
        default:
            // Letters and digits may mean anything one day; only signs are safe to quote.
            guard scalar.isASCII, !ScalarSet.word.contains(scalar) || scalar == "_" else {
                throw .syntax
            }
            return scalar
        }
    }

    private mutating func hexadecimal() throws(Expression.Problem) -> Unicode.Scalar {
        let isBraced = take("{")
        var digits = ""
        while digits.utf8.count < (isBraced ? 8 : 2), let scalar = peek,
            ScalarSet.named["xdigit"]?.contains(scalar) == true
        {
            digits.unicodeScalars.append(scalar)
            position += 1
        }
        guard isBraced ? take("}") : digits.utf8.count == 2,
            let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value)
        else { throw .syntax }
        return scalar
    }
}
