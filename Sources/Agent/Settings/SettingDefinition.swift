// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore

/// Where a value is kept.
typealias SettingPath<Value> = any WritableKeyPath<Settings, Value> & Sendable

/// One key: what it means, what it takes, and where it is kept.
struct SettingDefinition: Sendable {
    /// Why a value cannot be taken: what was expected instead, such as `a size of 1KiB to 1GiB`.
    struct Mismatch: Error, Equatable {
        var expected: String
    }

    /// The key, such as `listen.grpc.address`.
    let key: String
    /// What the key takes, such as `size, 1KiB to 1GiB`.
    let range: String
    /// What it means, and why one would change it: full sentences.
    let about: String
    /// Whether the value must not be shown.
    let isSecret: Bool
    /// Whether the file may give a list, which counts as its values with commas between.
    let takesList: Bool
    /// The value as text.
    let read: @Sendable (Settings) -> String
    /// Takes a text as the value.
    let write: @Sendable (String, inout Settings) throws(Mismatch) -> Void

    /// The variable that sets the key.
    var variable: String {
        "CORDWOOD_"
            + String(
                key.uppercased().map { character in
                    character.isLetter || character.isNumber ? character : "_"
                })
    }

    init<Value: Sendable>(
        _ key: String, _ path: SettingPath<Value>, range: String,
        about: String, isSecret: Bool = false, takesList: Bool = false,
        render: @escaping @Sendable (Value) -> String,
        parse: @escaping @Sendable (String) -> Value?
    ) {
        self.key = key
        self.range = range
        self.about = about
        self.isSecret = isSecret
        self.takesList = takesList
        read = { render($0[keyPath: path]) }
        write = { (text, settings) throws(Mismatch) in
            guard let value = parse(text) else { throw Mismatch(expected: range) }
            settings[keyPath: path] = value
        }
    }
}

extension SettingDefinition {
    /// A key that takes a text for which a rule holds.
    static func text(
        _ key: String, _ path: SettingPath<String>, range: String,
        about: String, isValid: @escaping @Sendable (String) -> Bool
    ) -> Self {
        Self(
            key, path, range: range, about: about, render: { $0 },
            parse: { isValid($0) ? $0 : nil })
    }

    /// A key that takes a number.
    static func count(
        _ key: String, _ path: SettingPath<Int>, in range: ClosedRange<Int>,
        about: String
    ) -> Self {
        Self(
            key, path, range: "number, \(range.lowerBound) to \(range.upperBound)", about: about,
            render: { "\($0)" },
            parse: { Int($0).flatMap { range.contains($0) ? $0 : nil } })
    }

    /// A key that takes bytes.
    static func size(
        _ key: String, _ path: SettingPath<Int>, in range: ClosedRange<Int>,
        about: String
    ) -> Self {
        Self(
            key, path, range: "size, \(text(range, SettingText.text(bytes:)))", about: about,
            render: SettingText.text(bytes:),
            parse: { SettingText.bytes($0).flatMap { range.contains($0) ? $0 : nil } })
    }

    /// A key that takes a time.
    static func duration(
        _ key: String, _ path: SettingPath<Duration>,
        in range: ClosedRange<Duration>, about: String
    ) -> Self {
        Self(
            key, path,
            range: "duration, \(text(range) { SettingText.text(milliseconds: $0.milliseconds) })",
            about: about,
            render: { SettingText.text(milliseconds: $0.milliseconds) },
            parse: { text in
                guard let milliseconds = SettingText.milliseconds(text) else { return nil }
                let duration = Duration.milliseconds(milliseconds)
                return range.contains(duration) ? duration : nil
            })
    }

    /// A key that takes a time as Kafka writes it: milliseconds where no unit is given, and -1 for
    /// no end where that is allowed.
    static func milliseconds(
        _ key: String, _ path: SettingPath<Int64>,
        in range: ClosedRange<Int64>, isEndless: Bool, about: String
    ) -> Self {
        let bounds = text(range, SettingText.text(milliseconds:))
        return Self(
            key, path, range: "duration or milliseconds, \(bounds)\(isEndless ? ", or -1" : "")",
            about: about,
            render: { $0 < 0 ? "-1" : SettingText.text(milliseconds: $0) },
            parse: { text in
                if isEndless, text == "-1" { return -1 }
                return SettingText.milliseconds(text, isBareAllowed: true)
                    .flatMap { range.contains($0) ? $0 : nil }
            })
    }

    /// A key that takes bytes, or -1 for no limit.
    static func sizeOrUnlimited(
        _ key: String, _ path: SettingPath<Int64>,
        in range: ClosedRange<Int64>, about: String
    ) -> Self {
        let bounds = text(range) { SettingText.text(bytes: Int($0)) }
        return Self(
            key, path, range: "size, \(bounds), or -1", about: about,
            render: { $0 < 0 ? "-1" : SettingText.text(bytes: Int($0)) },
            parse: { text in
                if text == "-1" { return -1 }
                return SettingText.bytes(text).map(Int64.init).flatMap {
                    range.contains($0) ? $0 : nil
                }
            })
    }

    /// A key that is on or off.
    static func toggle(
        _ key: String, _ path: SettingPath<Bool>, about: String
    ) -> Self {
        Self(
            key, path, range: "true or false", about: about, render: { "\($0)" },
            parse: { text in
                switch text.lowercased() {
                case "true", "yes", "on", "1": true
                case "false", "no", "off", "0": false
                default: nil
                }
            })
    }

    /// A key that takes one of a few words.
    static func choice<Value: RawRepresentable & CaseIterable & Sendable>(
        _ key: String, _ path: SettingPath<Value>, about: String
    ) -> Self where Value.RawValue == String {
        let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
        return Self(
            key, path, range: "one of \(words)", about: about, render: { $0.rawValue },
            parse: { Value(rawValue: $0.lowercased()) })
    }

    private static func text<Bound>(
        _ range: ClosedRange<Bound>, _ render: (Bound) -> String
    ) -> String {
        "\(render(range.lowerBound)) to \(render(range.upperBound))"
    }
}

extension TopicSettings.Durability {
    /// The durability that a text such as `fsync` or `interval(1000)` gives.
    init?(settingText text: String) {
        switch text {
        case "fsync": self = .fsync
        case "os": self = .os
        case _ where text.hasPrefix("interval(") && text.hasSuffix(")"):
            let inner = String(text.dropFirst("interval(".count).dropLast())
            guard let milliseconds = SettingText.milliseconds(inner, isBareAllowed: true),
                (1...3_600_000).contains(milliseconds)
            else { return nil }
            self = .interval(milliseconds: Int(milliseconds))
        default: return nil
        }
    }

    /// The text that ``init(settingText:)`` takes.
    var settingText: String {
        switch self {
        case .fsync: "fsync"
        case .os: "os"
        case .interval(let milliseconds): "interval(\(milliseconds))"
        }
    }
}
