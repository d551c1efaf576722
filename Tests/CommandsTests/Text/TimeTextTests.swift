// SPDX-License-Identifier: Apache-2.0

import CordwoodClient
import Testing

@testable import Commands

@Suite("Times as text")
struct TimeTextTests {
    @Test(
        "a text gives the time that it names",
        arguments: [
            ("1970-01-01", 0), ("1970-01-01T00:00Z", 0), ("2026-01-31T10:00Z", 1_769_853_600_000),
            ("2026-01-31T10:00:00.250+02:00", 1_769_846_400_250),
            ("2026-01-31 10:00:01", 1_769_853_601_000), ("2000-02-29T23:59:59.9Z", 951_868_799_900),
            ("1969-12-31T23:59:59.999Z", -1), ("2024-03-01T00:00-0130", 1_709_256_600_000),
        ])
    func reading(text: String, milliseconds: Int64) {
        #expect(TimeText.time(text)?.rawValue == milliseconds)
    }

    @Test(
        "a text that names no time is refused",
        arguments: [
            "", "now", "2026", "2026-13-01", "2026-02-29", "2026-01-31T", "2026-01-31T24:00",
            "2026-01-31T10:60", "2026-01-31T10:00X", "2026-01-31T10:00:00.", "26-01-31",
            "1900-02-29", "2026-01-00", "2026-01-31T10:00Z ",
        ])
    func refusing(text: String) {
        #expect(TimeText.time(text) == nil)
    }

    @Test(
        "a time that was written is read back",
        arguments: [
            0, -1, 1_769_853_600_123, -2_208_988_800_000, 951_868_799_900, 4_102_444_799_999,
        ])
    func roundTrip(milliseconds: Int64) {
        let time = Timestamp(milliseconds: milliseconds)
        #expect(TimeText.time(TimeText.text(time)) == time)
    }

    @Test("every day of four centuries has the date after the day before")
    func calendar() {
        var previous = ""
        for day in 0..<146_097 {
            let time = Timestamp(milliseconds: Int64(day) * 86_400_000)
            let text = TimeText.text(time)
            #expect(text > previous)
            if TimeText.time(text) != time { Issue.record("\(text) is not read back") }
            previous = text
        }
        #expect(previous == "2369-12-31T00:00:00.000Z")
    }
}
