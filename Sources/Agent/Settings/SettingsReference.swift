// SPDX-License-Identifier: Apache-2.0

/// What is printed about settings, all from ``SettingsTable``.
public enum SettingsReference {
    /// All keys, in the order of the page.
    public static var keys: [String] { SettingsTable.definitions.map(\.key) }

    /// A complete file with each key's meaning, range and default.
    public static func exampleYAML(defaults: Settings = Settings()) -> String {
        var lines = [
            "# Every setting of a Cordwood server with its default.",
            "# Flags and CORDWOOD_* variables come before what stands here;",
            "# the variable of log.level, for one, is CORDWOOD_LOG_LEVEL.",
        ]
        var open: [String] = []
        for section in SettingsTable.sections {
            lines += ["", "# --- \(section.title) ---"]
            for definition in section.definitions {
                let words = path(of: definition.key)
                let parents = Array(words.dropLast())
                let shared = zip(open, parents).prefix { $0 == $1 }.count
                lines.append("")
                for depth in shared..<max(shared, parents.count) {
                    lines.append("\(indent(depth))\(parents[depth]):")
                }
                open = parents
                let margin = indent(parents.count)
                lines += wrap(definition.about, width: 88 - margin.count)
                    .map { "\(margin)# \($0)" }
                lines.append("\(margin)# \(definition.variable): \(definition.range)")
                let value = yaml(definition.read(defaults))
                lines.append("\(margin)\(words[words.count - 1]): \(value)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The page `docs/reference/settings.md`.
    public static func markdown() -> String {
        let defaults = Settings()
        let development = Settings.development
        var lines = [
            "<!-- Written by `cordwood config reference`; change the table in "
                + "Sources/Agent/Settings instead. -->",
            "# Settings",
            "",
            "A server takes each setting from the first of these that has it: a flag of the",
            "command line, a `CORDWOOD_*` variable of the environment, the YAML file, the default.",
            "`cordwood config show` tells which it was, `cordwood config check` finds unknown keys",
            "and impossible values, `cordwood config example` prints a complete file.",
            "",
            "Sizes are written `512B`, `64KiB`, `10GiB` (or `KB`, `MB`, `GB` for powers of 1000),",
            "durations `250ms`, `10s`, `15m`, `12h`, `7d` or `1h30m`. In the file, a key's words",
            "may be nested or written with dots: `log: {level: debug}` is `log.level: debug`.",
        ]
        for section in SettingsTable.sections {
            lines += ["", "## \(section.title)"]
            for definition in section.definitions {
                let value = definition.read(defaults)
                let other = definition.read(development)
                let note = value == other ? "" : "; `\(other)` with `cordwood dev`"
                lines += [
                    "", "### `\(definition.key)`", "",
                ]
                lines += wrap(definition.about, width: 96)
                lines += [
                    "", "- Takes: \(definition.range)",
                    "- Default: \(value.isEmpty ? "nothing" : "`\(value)`")\(note)",
                    "- Variable: `\(definition.variable)`",
                ]
            }
        }
        lines += topicLines(defaults)
        return lines.joined(separator: "\n") + "\n"
    }

    /// The settings that a topic can have of its own.
    private static func topicLines(_ defaults: Settings) -> [String] {
        var lines = [
            "", "## Settings of a topic", "",
            "Each topic takes these from the node's `topics.default.*` until it is given its own,",
            "with `cordwood topic create` or `cordwood topic config`. In requests their values are",
            "plain numbers: bytes, and milliseconds.", "",
            "| setting | takes | default |", "| --- | --- | --- |",
        ]
        for definition in SettingsTable.definitions
        where definition.key.hasPrefix(SettingsTable.topicPrefix)
            && definition.key != SettingsTable.partitionsKey
        {
            let name = definition.key.dropFirst(SettingsTable.topicPrefix.count)
            lines.append(
                "| `\(name)` | \(definition.range) | `\(definition.read(defaults))` |")
        }
        return lines
    }

    /// The words of a key, as they nest; a topic's settings keep Kafka's names with their dots.
    private static func path(of key: String) -> [String] {
        guard key.hasPrefix(SettingsTable.topicPrefix) else {
            return key.split(separator: ".").map(String.init)
        }
        return ["topics", "default", String(key.dropFirst(SettingsTable.topicPrefix.count))]
    }

    private static func indent(_ depth: Int) -> String {
        String(repeating: "  ", count: depth)
    }

    /// A scalar that reads back as the same text.
    ///
    /// Those of the table that YAML would take for something else begin with punctuation or are
    /// empty.
    private static func yaml(_ value: String) -> String {
        let isPlain =
            value.first.map { $0.isLetter || $0.isNumber || $0 == "/" || $0 == "-" } ?? false
        return isPlain ? value : "\"\(value)\""
    }

    private static func wrap(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " \(word)"
        }
        if !line.isEmpty { lines.append(line) }
        return lines
    }
}
