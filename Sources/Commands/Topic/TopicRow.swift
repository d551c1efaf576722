// SPDX-License-Identifier: Apache-2.0

internal import Agent
internal import ArgumentParser
internal import CordwoodClient

/// A topic as a row of a listing.
struct TopicRow {
    let fields: [Listing.Field]

    init(_ topic: Topic) {
        let own = topic.settings.filter(\.isSet)
        let settings = topic.settings.map { setting in
            JSON.object([
                .init("name", .string(setting.name)), .init("value", .string(setting.value)),
                .init("is_set", .bool(setting.isSet)),
            ])
        }
        fields = [
            .text("topic", topic.name), .count("partitions", topic.partitionCount),
            .hidden("id", .string(topic.id)),
            Listing.Field(
                name: "settings", json: .array(settings),
                text: own.map { "\($0.name)=\(TopicSettingText.readable($0))" }
                    .joined(separator: " "),
                isNumber: false),
        ]
    }

    /// The row as an object.
    var json: JSON { .object(fields.map { .init($0.name, $0.json) }) }
}

/// A setting as it is typed: `retention.ms=7d` is `retention.ms=604800000` to the server.
struct TopicSettingText: Sendable, Equatable {
    var name: String
    var value: String

    /// Reads a text such as `segment.bytes=64MiB`.
    init(_ text: String) throws {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
            throw ValidationError("a setting is written name=value, such as retention.ms=7d")
        }
        name = String(text[..<equals])
        value = String(text[text.index(after: equals)...])
        // A value that is neither is the server's to refuse: it knows the range.
        if name.hasSuffix(".ms"), let milliseconds = SettingText.milliseconds(value) {
            value = "\(milliseconds)"
        } else if name.hasSuffix(".bytes"), let bytes = SettingText.bytes(value) {
            value = "\(bytes)"
        } else if name == "durability", value.hasPrefix("interval("), value.hasSuffix(")"),
            let milliseconds = SettingText.milliseconds(String(value.dropFirst(9).dropLast()))
        {
            value = "interval(\(milliseconds))"
        }
    }

    /// Settings by name; the last of a name counts.
    static func values(_ settings: [TopicSettingText]) -> [String: String] {
        Dictionary(settings.map { ($0.name, $0.value) }) { $1 }
    }

    /// A value as people write it.
    static func readable(_ setting: Topic.Setting) -> String {
        guard let number = Int64(setting.value), number > 0 else { return setting.value }
        if setting.name.hasSuffix(".ms") { return SettingText.text(milliseconds: number) }
        if setting.name.hasSuffix(".bytes") { return SettingText.text(bytes: Int(number)) }
        return setting.value
    }
}
