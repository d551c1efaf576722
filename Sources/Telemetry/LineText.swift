// SPDX-License-Identifier: Apache-2.0

/// Text from anywhere, made fit to stand in a line.
enum LineText {
    /// The most characters of one value that a line takes.
    static let valueCountMax = 8192

    /// Whether a character could end a line, move a cursor or turn the reading direction.
    static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// The text, cut if it is very long.
    static func bounded(_ text: String) -> String {
        guard text.utf8.count > valueCountMax else { return text }
        let kept = text.unicodeScalars.prefix(valueCountMax)
        let cut = text.utf8.count - String(kept).utf8.count
        return cut > 0 ? "\(String(kept))… (\(cut) bytes more)" : text
    }

    /// Four hexadecimal digits, for escapes: no harmful character has more.
    static func hexadecimal(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
