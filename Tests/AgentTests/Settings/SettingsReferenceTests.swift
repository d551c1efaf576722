// SPDX-License-Identifier: Apache-2.0

import Faults
import Foundation
import Testing

@testable import Agent

@Suite("What is printed about settings")
struct SettingsReferenceTests {
    @Test("the example passes the check and says what the defaults are")
    func example() throws {
        let path = FileManager.default.temporaryDirectory
            .appending(path: "cordwood-example-\(UUID().uuidString).yaml").path
        try Data(SettingsReference.exampleYAML().utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }

        let loader = SettingsLoader(file: path)
        #expect(loader.check().isEmpty)
        let loaded = try loader.load()
        #expect(loaded.settings == Settings())
        // Complete: every key comes from the file.
        for entry in loaded.entries {
            guard case .file(_, .some) = entry.source else {
                Issue.record("\(entry.key) is not in the example")
                continue
            }
        }
    }

    @Test("the reference page names every key with its range, default and variable")
    func reference() {
        let page = SettingsReference.markdown()
        for definition in SettingsTable.definitions {
            #expect(page.contains("### `\(definition.key)`\n"))
            #expect(page.contains("- Takes: \(definition.range)\n"))
            #expect(page.contains("- Variable: `\(definition.variable)`\n"))
        }
        #expect(page.contains("| `retention.ms` |"))
        #expect(!page.contains("| `partitions` |"))
    }

    @Test("the committed reference page is the one that the table gives")
    func committedPage() throws {
        let path = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/reference/settings.md")
        let page = SettingsReference.markdown()
        if ProcessInfo.processInfo.environment["REWRITE"] != nil {
            try Data(page.utf8).write(to: path)
        }
        let committed = try String(contentsOf: path, encoding: .utf8)
        #expect(committed == page, "rewrite it with REWRITE=1 swift test --filter committedPage")
    }

    @Test("no two keys share a name or a variable, and none is the beginning of another")
    func names() {
        let definitions = SettingsTable.definitions
        #expect(Set(definitions.map(\.key)).count == definitions.count)
        #expect(Set(definitions.map(\.variable)).count == definitions.count)
        for definition in definitions {
            #expect(!definitions.contains { $0.key.hasPrefix("\(definition.key).") })
        }
    }
}

@Suite("Sizes, durations and names")
struct SettingTextTests {
    @Test("a size reads back as it was written")
    func sizes() {
        for (text, bytes) in [
            ("0", 0), ("17B", 17), ("1KiB", 1024), ("1 kib", 1024), ("1KB", 1000),
            ("10GiB", 10 << 30), ("3TiB", 3 << 40), ("1048576", 1 << 20),
        ] {
            #expect(SettingText.bytes(text) == bytes)
            #expect(SettingText.bytes(SettingText.text(bytes: bytes)) == bytes)
        }
        for text in ["", "GiB", "-1", "1.5GiB", "1Gib!", "9223372036854775807KiB", "٣MiB"] {
            #expect(SettingText.bytes(text) == nil)
        }
    }

    @Test("a duration reads back as it was written")
    func durations() {
        for (text, milliseconds) in [
            ("0", 0), ("250ms", 250), ("15m", 900_000), ("1h30m", 5_400_000), ("7d", 604_800_000),
        ] as [(String, Int64)] {
            #expect(SettingText.milliseconds(text) == milliseconds)
            let written = SettingText.text(milliseconds: milliseconds)
            #expect(SettingText.milliseconds(written) == milliseconds)
        }
        for text in ["", "10", "s", "1x", "5s5m", "1s1s", "-5s", "1.5s", "9223372036854775807d"] {
            #expect(SettingText.milliseconds(text) == nil)
        }
    }

    @Test("the nearest name is the one with the fewest changes")
    func nearest() {
        #expect(NearestName.distance("kitten", "sitting") == 3)
        #expect(NearestName.distance("", "abc") == 3)
        #expect(NearestName.find("log.levle", among: ["log.level", "log.format"]) == "log.level")
        #expect(NearestName.find("nothing.like.it", among: ["log.level"]) == nil)
    }
}
