// SPDX-License-Identifier: Apache-2.0

extension IPAddress: CustomStringConvertible {
    /// The address of a text: four decimals with dots, or the forms of RFC 4291 with colons.
    ///
    /// `nil` for anything else: a name, a zone, a decimal with a leading zero.
    public init?(_ text: String) {
        if text.utf8.contains(UInt8(ascii: ":")) {
            guard let groups = Self.groups(of: text[...]) else { return nil }
            func half(_ start: Int) -> UInt64 {
                groups[start..<start + 4].reduce(0) { $0 << 16 | UInt64($1) }
            }
            self = .v6(half(0), half(4))
        } else {
            guard let bits = Self.dotted(text[...]) else { return nil }
            self = .v4(bits)
        }
    }

    /// The text of RFC 5952: decimals with dots, or colons with the longest run of zeros left out.
    public var description: String {
        switch self {
        case .v4(let bits):
            (0..<4).map { String(bits >> (24 - 8 * $0) & 0xff) }.joined(separator: ".")
        case .v6(let high, let low):
            if case .v4 = unmapped {
                "::ffff:\(unmapped)"
            } else {
                Self.text(
                    of: (0..<8).map {
                        UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> (48 - 16 * ($0 & 3)))
                    })
            }
        }
    }

    /// Eight groups as a text, the first longest run of at least two zeros as `::`.
    private static func text(of groups: [UInt16]) -> String {
        var longest = 0..<0
        var start = 0
        while start < groups.count {
            var end = start
            while end < groups.count, groups[end] == 0 { end += 1 }
            if end - start >= 2, end - start > longest.count { longest = start..<end }
            start = end + 1
        }
        func hex(_ groups: ArraySlice<UInt16>) -> String {
            groups.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !longest.isEmpty else { return hex(groups[...]) }
        return hex(groups[..<longest.lowerBound]) + "::" + hex(groups[longest.upperBound...])
    }

    private static func dotted(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard let byte = decimal(part).flatMap({ UInt8(exactly: $0) }) else { return nil }
            bits = bits << 8 | UInt32(byte)
        }
        return bits
    }

    /// Up to five digits without a sign and without a leading zero.
    static func decimal(_ text: Substring) -> Int? {
        let digits = text.utf8
        let isNumber = digits.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        guard isNumber, 1...5 ~= digits.count else { return nil }
        guard digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        return Int(text)
    }

    /// The eight groups of a text with colons.
    private static func groups(of text: Substring) -> [UInt16]? {
        // The only place where two colons meet stands for as many zeros as are missing.
        let halves = split(text)
        guard let front = list(of: halves.front, mayEndDotted: halves.back == nil) else {
            return nil
        }
        guard let back = halves.back else { return front.count == 8 ? front : nil }
        guard let rear = list(of: back, mayEndDotted: true) else { return nil }
        let missing = 8 - front.count - rear.count
        guard missing >= 1 else { return nil }
        return front + [UInt16](repeating: 0, count: missing) + rear
    }

    private static func split(_ text: Substring) -> (front: Substring, back: Substring?) {
        let colon = UInt8(ascii: ":")
        var index = text.utf8.startIndex
        while index < text.utf8.endIndex {
            let next = text.utf8.index(after: index)
            if text.utf8[index] == colon, next < text.utf8.endIndex, text.utf8[next] == colon {
                return (text[..<index], text[text.utf8.index(after: next)...])
            }
            index = next
        }
        return (text, nil)
    }

    private static func list(of text: Substring, mayEndDotted: Bool) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 8 else { return nil }
        var groups: [UInt16] = []
        for (place, part) in parts.enumerated() {
            if mayEndDotted, place == parts.count - 1, part.utf8.contains(UInt8(ascii: ".")) {
                guard let bits = dotted(part) else { return nil }
                groups.append(UInt16(truncatingIfNeeded: bits >> 16))
                groups.append(UInt16(truncatingIfNeeded: bits))
            } else {
                guard 1...4 ~= part.utf8.count, part.utf8.first != UInt8(ascii: "+") else {
                    return nil
                }
                guard let group = UInt16(part, radix: 16) else { return nil }
                groups.append(group)
            }
        }
        return groups
    }
}
