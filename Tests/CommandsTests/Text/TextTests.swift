// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Commands

@Suite("Text for people and programs")
struct TextTests {
    @Test("JSON is what Foundation reads, whatever the text holds")
    func json() throws {
        let text = "quote \" backslash \\ line\nreturn\rtab\t bell\u{7} delete\u{7f} é 日 😀"
        let value = JSON.object([
            .init("text", .string(text)), .init("none", .null), .init("yes", .bool(true)),
            .init("count", .number(Int64.min)), .init("rate", .decimal(1.23456)),
            .init("whole", .decimal(5)), .init("endless", .decimal(.infinity)),
            .init("list", .array([.number(1), .string("")])),
        ])
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(value.text.utf8)) as? [String: Any])
        #expect(object["text"] as? String == text)
        #expect(object["count"] as? Int64 == Int64.min)
        #expect(object["rate"] as? Double == 1.235)
        #expect(object["endless"] is NSNull)
        #expect((object["list"] as? [Any])?.count == 2)
        #expect(!value.text.contains("\n"))
        #expect(value.text.contains("\"whole\":5,"))
    }

    private let listing = Listing([
        [.text("topic", "orders"), .count("records", 5), .hidden("id", .string("abc"))],
        [.text("topic", "x"), .count("records", 12345), .hidden("id", .string("def"))],
    ])

    @Test("a table aligns text to the left and numbers to the right")
    func table() {
        #expect(
            listing.text(as: .table) == """
                TOPIC   RECORDS
                orders        5
                x         12345

                """)
    }

    @Test("a listing in JSON is an array, and in JSON lines an object a line")
    func listingJSON() throws {
        let array = try JSONSerialization.jsonObject(with: Data(listing.text(as: .json).utf8))
        #expect((array as? [[String: Any]])?.last?["records"] as? Int == 12345)
        #expect((array as? [[String: Any]])?.first?["id"] as? String == "abc")
        let lines = listing.text(as: .jsonl).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first == #"{"topic":"orders","records":5,"id":"abc"}"#)
        #expect(Listing([]).text(as: .json) == "[]\n")
        #expect(Listing([]).text(as: .jsonl).isEmpty)
    }

    @Test("what could move a terminal's cursor is escaped in tables")
    func harmful() {
        #expect(Listing.printable("a\u{1b}[2Jb\n") == "a\\u{1B}[2Jb\\n")
        #expect(Listing.printable("schön") == "schön")
    }

    @Test(
        "amounts are written in three digits at most",
        arguments: [
            (0.0, "0 B"), (999.0, "999 B"), (1000.0, "1.0 kB"), (12_345.0, "12 kB"),
            (1_500_000_000.0, "1.5 GB"), (999_600.0, "1.0 MB"),
        ])
    func amounts(value: Double, text: String) {
        #expect(HumanText.bytes(value) == text)
    }

    @Test("durations are written in the unit that fits")
    func durations() {
        #expect(HumanText.duration(.microseconds(250)) == "250 µs")
        #expect(HumanText.duration(.microseconds(1250)) == "1.3 ms")
        #expect(HumanText.duration(.milliseconds(48)) == "48 ms")
        #expect(HumanText.duration(.seconds(2.5)) == "2.5 s")
        #expect(HumanText.duration(.seconds(200)) == "3 min 20 s")
        #expect(HumanText.duration(.seconds(7260)) == "2 h 1 min")
    }
}
