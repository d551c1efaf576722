// SPDX-License-Identifier: Apache-2.0

import CordwoodClient
import Faults
import Testing

@testable import Commands

@Suite("Formats of records")
struct FormatTests {
    private let record = Record(
        key: Array("u42".utf8), value: Array("{}".utf8),
        headers: [.init("type", Array("created".utf8)), .init("n", nil)],
        timestamp: CapturedSession.now, offset: Offset(7))
    private let place = RecordPlace(topic: "orders", partition: 3)

    private func print(_ form: RecordPrinter.Form, _ records: [Record]) -> String {
        var printer = RecordPrinter(form)
        var bytes = Array(printer.opening.utf8)
        for record in records { printer.append(record, from: place, to: &bytes) }
        return String(decoding: bytes, as: UTF8.self) + printer.closing
    }

    @Test(
        "each field prints its part of a record",
        arguments: [
            ("%t[%p] @ %o", "orders[3] @ 7"), (#"%k\t%v\n"#, "u42\t{}\n"), ("%s", "{}"),
            ("%h", "type=created,n="), ("%T", "1769853600000"), ("%d", "2026-01-31T10:00:00.000Z"),
            ("%K/%S", "3/2"), ("100%%", "100%"), (#"\x41\\n\0"#, "A\\n\0"), ("%%k", "%k"),
        ])
    func fields(format: String, expected: String) throws {
        #expect(print(.template(try RecordTemplate(format)), [record]) == expected)
    }

    @Test("a missing key and an empty one differ in their sizes")
    func missing() throws {
        let template = RecordPrinter.Form.template(try RecordTemplate("[%k] %K %S;"))
        #expect(print(template, [Record(value: nil)]) == "[] -1 -1;")
        #expect(print(template, [Record(key: [], value: [])]) == "[] 0 0;")
    }

    @Test("formats that cannot be are refused", arguments: ["%", "%q", #"a\"#, #"\q"#, #"\x4"#])
    func refused(format: String) {
        #expect(throws: Fault.self) { try RecordTemplate(format) }
    }

    @Test("a line for people has place, key and value, and cannot move the cursor")
    func table() {
        var harmful = record
        harmful.value = Array("a\u{1b}[2J\n".utf8)
        #expect(
            print(.table, [record, harmful])
                == "orders[3] @ 7  u42  {}\norders[3] @ 7  u42  a\\u{1B}[2J\\n\n")
        #expect(print(.table, [Record(value: nil)]) == "orders[3] @ 0  (no value)\n")
    }

    @Test("JSON is an array, also of nothing and of one, and bytes that are no text are base64")
    func json() {
        #expect(print(.json, []) == "[]\n")
        #expect(print(.json, [record]).hasPrefix("[\n  {\"topic\":\"orders\",\"partition\":3,"))
        #expect(print(.json, [record, record]).contains("},\n  {"))
        #expect(print(.json, [record]).hasSuffix("}\n]\n"))
        let line = print(.jsonl, [Record(key: [0xff], value: nil)])
        #expect(line.contains(#""key_base64":"/w==","value":null,"headers":[]"#))
    }

    @Test("raw output is the values with a delimiter behind each, but for an unterminated one")
    func raw() {
        let last = Record(
            value: [0x63], headers: [.init(RecordPrinter.unterminatedHeader, [])])
        let records = [Record(value: [0x61]), Record(value: []), last]
        #expect(print(.raw(delimiter: [0x0a]), records) == "a\n\nc")
        #expect(print(.raw(delimiter: Array("--".utf8)), records) == "a----c")
    }

    // MARK: - Input

    @Test("a format of input takes a line apart")
    func parts() throws {
        let format = try LineFormat(#"%p/%T %h;%k\t%v\n"#)
        #expect(format.delimiter == [0x0a])
        let parts = try format.parts(of: Array("2/1769853600000 a=1,b=x=y;key\tva;l\tue".utf8))
        #expect(parts.partition == 2)
        #expect(parts.timestamp == CapturedSession.now)
        #expect(parts.headers == [.init("a", [0x31]), .init("b", Array("x=y".utf8))])
        #expect(parts.key == Array("key".utf8))
        #expect(parts.value == Array("va;l\tue".utf8))
    }

    @Test("a format without an end has lines, and one that is only a value is the fast way")
    func delimiters() throws {
        #expect(try LineFormat("%k:%v").delimiter == [0x0a])
        #expect(try LineFormat(#"%v\0"#).delimiter == [0])
        #expect(try LineFormat(#"%v\r\n"#).isValueOnly)
        #expect(!(try LineFormat("%k:%v").isValueOnly))
        #expect(try LineFormat("> %v;").parts(of: Array("> x".utf8)).value == [0x78])
    }

    @Test(
        "formats of input that cannot be are refused",
        arguments: ["%k%v", "%k", "%o %v", "%v %v", "text", "", "%K:%v"])
    func refusedInput(format: String) {
        #expect(throws: Fault.self) { try LineFormat(format) }
    }

    @Test("a line that does not follow the format says what is missing")
    func mismatch() throws {
        let format = try LineFormat(#"%k\t%v\n"#)
        #expect(throws: LineFormat.Mismatch(reason: #"there is no '\t' behind %k"#)) {
            try format.parts(of: Array("no tab".utf8))
        }
        #expect(throws: LineFormat.Mismatch.self) {
            try LineFormat("%p %v").parts(of: Array("x y".utf8))
        }
    }

    @Test("what a format printed, the same format reads")
    func roundTrip() throws {
        let text = #"%k|%p|%h|%T|%v\n"#
        let line = print(.template(try RecordTemplate(text)), [record]).dropLast()
        let parts = try LineFormat(text).parts(of: Array(line.utf8))
        #expect(parts.key == record.key)
        #expect(parts.value == record.value)
        #expect(parts.partition == place.partition)
        #expect(parts.timestamp == record.timestamp)
    }

    // MARK: - Places

    @Test("places in a log are read")
    func places() throws {
        let now = CapturedSession.now
        func place(_ text: String) throws -> StartPosition {
            try StartText(text).position(now: now)
        }
        #expect(try place("start") == .start)
        #expect(try place("end") == .end)
        #expect(try place("-10") == .last(10))
        #expect(try place("0") == .offset(.zero))
        #expect(try place("9223372036854775807") == .offset(Offset(.max)))
        #expect(try place("@2026-01-31T10:00Z") == .timestamp(now))
        #expect(
            try place("@-15m") == .timestamp(Timestamp(milliseconds: now.rawValue - 900_000)))
    }

    @Test(
        "places that cannot be are refused",
        arguments: ["", "now", "-", "--1", "+1", "@", "@-", "@15m", "1.5", "9223372036854775808"])
    func noPlaces(text: String) {
        #expect(throws: Fault.self) { try StartText(text) }
    }
}
