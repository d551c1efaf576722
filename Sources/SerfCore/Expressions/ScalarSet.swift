// SPDX-License-Identifier: Apache-2.0

/// A set of Unicode scalars, as ranges of their numbers.
struct ScalarSet: Sendable {
    /// Sorted; no two touch.
    private(set) var ranges: [ClosedRange<UInt32>]
    /// Whether a scalar is in the set if one of its other case is.
    var ignoresCase = false
    /// Whether the set is everything else.
    ///
    /// Set last: case is ignored before.
    var isExcluding = false

    private static let last: UInt32 = 0x10_ffff

    init(_ ranges: [ClosedRange<UInt32>]) {
        self.ranges = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard let before = self.ranges.last, range.lowerBound <= before.upperBound + 1 else {
                self.ranges.append(range)
                continue
            }
            let end = max(before.upperBound, range.upperBound)
            self.ranges[self.ranges.count - 1] = before.lowerBound...end
        }
    }

    init(_ scalar: Unicode.Scalar) {
        self.init([scalar.value...scalar.value])
    }

    /// Of ranges of ASCII characters, given by their ends.
    init(ascii pairs: String) {
        let ends = pairs.unicodeScalars.map(\.value)
        self.init(
            stride(from: 0, to: ends.count - 1, by: 2).map { ends[$0]...ends[$0 + 1] })
    }

    static let digit = ScalarSet(ascii: "09")
    static let space = ScalarSet(ascii: "\t\n\u{c}\r  ")
    static let word = ScalarSet(ascii: "09AZaz__")
    static let notNewline = ScalarSet([0...9, 11...last])
    static let all = ScalarSet([0...last])

    /// POSIX's classes of ASCII, by name.
    static let named: [String: ScalarSet] = [
        "alnum": ScalarSet(ascii: "09AZaz"), "alpha": ScalarSet(ascii: "AZaz"),
        "ascii": ScalarSet([0...127]), "blank": ScalarSet(ascii: "\t\t  "),
        "cntrl": ScalarSet([0...31, 127...127]), "digit": digit,
        "graph": ScalarSet(ascii: "!~"), "lower": ScalarSet(ascii: "az"),
        "print": ScalarSet(ascii: " ~"), "punct": ScalarSet(ascii: "!/:@[`{~"),
        "space": ScalarSet(ascii: "\t\r  "), "upper": ScalarSet(ascii: "AZ"), "word": word,
        "xdigit": ScalarSet(ascii: "09AFaf"),
    ]

    /// All scalars that are not in this set.
    var inverted: ScalarSet {
        var result: [ClosedRange<UInt32>] = []
        var start: UInt32 = 0
        for range in ranges {
            if range.lowerBound > start { result.append(start...range.lowerBound - 1) }
            start = range.upperBound + 1
        }
        if start <= Self.last { result.append(start...Self.last) }
        return ScalarSet(result)
    }

    /// This set and others together.
    func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        let isInside =
            holds(scalar.value)
            || ignoresCase && Self.otherCases(of: scalar).contains { holds($0.value) }
        return isInside != isExcluding
    }

    private func holds(_ value: UInt32) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < value { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= value
    }

    private static func otherCases(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping].compactMap {
            $0.unicodeScalars.count == 1 ? $0.unicodeScalars.first : nil
        }
    }
}
