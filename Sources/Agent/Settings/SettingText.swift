// SPDX-License-Identifier: Apache-2.0

/// Sizes and durations as people write them: `10GiB`, `15m`.
public enum SettingText {
    private static let sizes: [(unit: String, bytes: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000),
        ("B", 1),
    ]
    private static let durations: [(unit: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// The bytes that a text such as `10GiB`, `64 KiB` or `1048576` gives.
    public static func bytes(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits) else { return nil }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        if unit.isEmpty { return number }
        guard let size = sizes.first(where: { $0.unit.lowercased() == unit }) else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: size.bytes)
        return overflow ? nil : product
    }

    /// A size in the largest unit that it is a multiple of.
    public static func text(bytes: Int) -> String {
        for size in sizes where size.unit.hasSuffix("iB") {
            if bytes >= size.bytes, bytes.isMultiple(of: size.bytes) {
                return "\(bytes / size.bytes)\(size.unit)"
            }
        }
        return "\(bytes)B"
    }

    /// The milliseconds that a text such as `15m`, `1h30m` or `250ms` gives.
    ///
    /// - Parameter isBareAllowed: Whether a number without a unit counts milliseconds.
    public static func milliseconds(_ text: String, isBareAllowed: Bool = false) -> Int64? {
        if isBareAllowed || text == "0", let number = Int64(text) {
            return number >= 0 ? number : nil
        }
        var rest = text[...]
        var total: Int64 = 0
        var shortest = Int64.max
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            // Units must shrink, so that a slip such as 5s5m is not read as something else.
            guard let number = Int64(digits),
                let duration = durations.first(where: { $0.unit == unit }),
                duration.milliseconds < shortest
            else { return nil }
            shortest = duration.milliseconds
            let (product, isTooLong) = number.multipliedReportingOverflow(by: shortest)
            let (sum, isTooLongInAll) = total.addingReportingOverflow(product)
            guard !isTooLong, !isTooLongInAll else { return nil }
            total = sum
        }
        return text.isEmpty ? nil : total
    }

    /// A duration in the largest unit that it is a multiple of.
    public static func text(milliseconds: Int64) -> String {
        for duration in durations {
            if milliseconds >= duration.milliseconds,
                milliseconds.isMultiple(of: duration.milliseconds)
            {
                return "\(milliseconds / duration.milliseconds)\(duration.unit)"
            }
        }
        return "0s"
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
