// SPDX-License-Identifier: Apache-2.0

public import Faults

/// What a topic may be called: Kafka's rule, so that every client can name every topic.
public enum TopicName {
    /// The most characters of a name.
    public static let lengthMax = 249

    /// Throws ``Faults/ErrorCode/invalidTopicName`` unless a name has 1 to 249 of
    /// `A-Z a-z 0-9 . _ -` and is neither `.` nor `..`.
    public static func check(_ name: String) throws(Fault) {
        let bytes = name.utf8
        guard !bytes.isEmpty else { throw Fault(.invalidTopicName, "the topic name is empty") }
        guard bytes.count <= lengthMax else {
            throw Fault(
                .invalidTopicName,
                "the topic name has \(bytes.count) characters, the limit is \(lengthMax)")
        }
        guard name != ".", name != ".." else {
            throw Fault(.invalidTopicName, "a topic cannot be called \(name)")
        }
        guard bytes.allSatisfy(isAllowed) else {
            throw Fault(
                .invalidTopicName,
                "the topic name \(quoted(name)) has characters other than A-Z a-z 0-9 . _ -")
        }
    }

    /// What the names of the server's own topics begin with.
    ///
    /// Not all that begins with two underscores: other people's tools name topics so.
    public static let internalPrefix = "__cordwood_"

    /// Whether a name is kept for the server itself: users may read such a topic, and no more.
    public static func isInternal(_ name: String) -> Bool { name.hasPrefix(internalPrefix) }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
        default: false
        }
    }

    /// A name from outside, made safe to print.
    static func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(80).map { scalar in
            scalar.value < 0x20 || scalar.value == 0x7f || scalar == "\""
                ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }
        return "\"" + shown.joined() + "\""
    }
}

/// The identity of a topic: a topic made anew under an old name has another one.
public struct TopicID: Hashable, Sendable, Comparable {
    public var high: UInt64
    public var low: UInt64

    /// An id of these 128 bits.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The id as 32 hexadecimal digits.
    public var text: String { Self.digits(high) + Self.digits(low) }

    /// The id that 32 hexadecimal digits state.
    public init?(text: String) {
        guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    public static func < (left: TopicID, right: TopicID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    private static func digits(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    /// The number that names a partition's log in each of its frames: FNV-1a over id and number.
    public func groupHash(partition: Int) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for word in [high, low, UInt64(partition)] {
            for shift in stride(from: 56, through: 0, by: -8) {
                hash = (hash ^ ((word >> UInt64(shift)) & 0xff)) &* 0x100_0000_01b3
            }
        }
        return hash
    }
}
