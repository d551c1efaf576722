// SPDX-License-Identifier: Apache-2.0

import Bytes
import Records
import Testing

@Suite("Record cursor")
struct RecordCursorTests {
    @Test(
        "lengths that lie are refused, whichever field they are in",
        arguments: [-2, -1, 1000, Int64(Int32.max), Int64(Int32.min), Int64.max])
    func lyingLengths(length: Int64) throws {
        // A record with each field's length replaced in turn; -1 is right for key and value.
        for field in 0..<5 {
            if length == -1, field == 1 || field == 2 || field == 4 { continue }
            let section = Self.section(
                lengths: Self.honest.enumerated().map { $0 == field ? length : $1 })
            #expect(throws: BatchError.self, "field \(field)") { try Self.walk(section) }
        }
    }

    @Test("an honest record is read")
    func honestRecord() throws {
        #expect(try Self.walk(Self.section(lengths: Self.honest)) == 1)
    }

    @Test(
        "a header count beyond what the bytes can hold is refused unread",
        arguments: [2, 1_000_000, Int64(Int32.max), -1, -5])
    func nestedCount(count: Int64) {
        let section = Self.section(lengths: Self.honest, headerCount: count)
        #expect(throws: BatchError.self) { try Self.walk(section) }
    }

    @Test(
        "no bytes make the cursor read beyond them or stand still",
        arguments: 1...300 as ClosedRange<UInt64>)
    func noise(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var section = Self.section(lengths: Self.honest) + Self.section(lengths: Self.honest)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            section[Int.random(in: section.indices, using: &random)] = UInt8.random(
                in: 0...255, using: &random)
        }
        section.withUnsafeBytes { bytes in
            var cursor = RecordCursor(bytes)
            var before = cursor.remaining
            while let view = try? cursor.next() {
                #expect(cursor.remaining < before)
                #expect(view.range.upperBound <= bytes.count)
                for part in [view.key, view.value, view.headers] {
                    guard let part else { continue }
                    #expect(
                        part.lowerBound >= view.range.lowerBound
                            && part.upperBound <= view.range.upperBound)
                }
                before = cursor.remaining
            }
        }
    }

    @Test("header names that are not UTF-8 come out repaired")
    func headerName() throws {
        var section = Self.section(lengths: Self.honest)
        guard let name = section.lastIndex(of: UInt8(ascii: "n")) else { return }
        section[name] = 0xff
        try section.withUnsafeBytes { bytes in
            var cursor = RecordCursor(bytes)
            guard let view = try cursor.next() else {
                Issue.record("there is a record")
                return
            }
            let header = BatchHeader(
                reading: UnsafeRawBufferPointer(start: bytes.baseAddress, count: 61))
            #expect(Record(view, in: bytes, header: header).headers.first?.name == "\u{fffd}")
        }
    }

    /// Lengths of the record, the key, the value, the header's name and its value.
    private static let honest: [Int64] = [91, 3, 75, 1, 2]

    private static func section(lengths: [Int64], headerCount: Int64 = 1) -> [UInt8] {
        var body: [UInt8] = [0] + zigZag(0) + zigZag(0)
        body += zigZag(lengths[1]) + [1, 2, 3]
        body += zigZag(lengths[2]) + [UInt8](repeating: 7, count: 75)
        body += zigZag(headerCount)
        body += zigZag(lengths[3]) + [UInt8(ascii: "n")]
        body += zigZag(lengths[4]) + [8, 9]
        let length = lengths[0] == honest[0] ? Int64(body.count) : lengths[0]
        return zigZag(length) + body
    }

    private static func zigZag(_ value: Int64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Varint.maxLength64)
        var position = 0
        bytes.withUnsafeMutableBytes { Varint.writeZigZag(value, to: $0, at: &position) }
        return Array(bytes[..<position])
    }

    private static func walk(_ section: [UInt8]) throws -> Int {
        try section.withUnsafeBytes { bytes in
            var cursor = RecordCursor(bytes)
            var count = 0
            while try cursor.next() != nil { count += 1 }
            return count
        }
    }
}
