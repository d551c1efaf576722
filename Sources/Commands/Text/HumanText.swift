// SPDX-License-Identifier: Apache-2.0

/// Numbers as people read them.
enum HumanText {
    /// Bytes in powers of 1000, such as `1.2 GB`.
    static func bytes(_ count: Double) -> String {
        scaled(count, ["B", "kB", "MB", "GB", "TB"])
    }

    /// A count, such as `812` or `4.1 M`.
    static func count(_ count: Double) -> String {
        let text = scaled(count, ["", "k", "M", "G"])
        return text.hasSuffix(" ") ? String(text.dropLast()) : text
    }

    /// A time, such as `1.2 ms` or `3 min 20 s`.
    static func duration(_ duration: Duration) -> String {
        let seconds = duration.seconds
        switch seconds {
        case ..<0.001: return "\(Int(seconds * 1e6)) µs"
        case ..<0.01: return "\(rounded(seconds * 1e3)) ms"
        case ..<1: return "\(Int(seconds * 1e3)) ms"
        case ..<60: return "\(rounded(seconds)) s"
        case ..<3600: return "\(Int(seconds) / 60) min \(Int(seconds) % 60) s"
        default: return "\(Int(seconds) / 3600) h \(Int(seconds) % 3600 / 60) min"
        }
    }

    /// A noun in the number that goes with a count.
    static func noun(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }

    private static func scaled(_ value: Double, _ units: [String]) -> String {
        var value = value
        var step = 0
        while value >= 999.5, step < units.count - 1 {
            value /= 1000
            step += 1
        }
        return "\(step == 0 ? "\(Int(value))" : rounded(value)) \(units[step])"
    }

    /// Three digits at most, such as `1.2`, `12` or `123`.
    private static func rounded(_ value: Double) -> String {
        guard value < 10 else { return "\(Int(value.rounded()))" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}

extension Duration {
    /// The time in seconds.
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}

extension String {
    /// The text with spaces in front, up to a length.
    func leftPadded(to length: Int) -> String {
        String(repeating: " ", count: max(0, length - count)) + self
    }

    /// The text with spaces behind, up to a length.
    func rightPadded(to length: Int) -> String {
        self + String(repeating: " ", count: max(0, length - count))
    }
}
