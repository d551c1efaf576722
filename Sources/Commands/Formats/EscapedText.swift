// SPDX-License-Identifier: Apache-2.0

internal import Faults

/// Text with escapes, as it is typed between single quotes: `\n \t \r \0 \\ \xHH`.
enum EscapedText {
    /// The bytes that a text stands for.
    static func bytes(_ text: String) throws(Fault) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\") {
                bytes.append(try escape(&rest, in: text))
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    private static func escape(
        _ rest: inout ArraySlice<UInt8>, in text: String
    ) throws(Fault) -> UInt8 {
        guard let letter = rest.popFirst() else {
            throw Fault(
                .invalidUsage, "'\(text)' ends within an escape",
                hint: #"Write \\ for a backslash."#)
        }
        switch letter {
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "0"): return 0
        case UInt8(ascii: "\\"): return letter
        case UInt8(ascii: "x"):
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.count == 2, let byte = UInt8(digits, radix: 16) else {
                throw Fault(
                    .invalidUsage, #"\x needs two hexadecimal digits in '\#(text)'"#,
                    hint: #"Write \x1f, for one."#)
            }
            rest = rest.dropFirst(2)
            return byte
        default:
            throw Fault(
                .invalidUsage, "there is no escape \\\(Character(Unicode.Scalar(letter)))",
                hint: #"There are \n \t \r \0 \\ and \xHH."#)
        }
    }
}
