// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

struct StreamScannerTests {
    private let blue = [UInt8]("blue".utf8)

    private func scan(_ bytes: [UInt8], label: [UInt8] = []) throws -> StreamScanner.Progress {
        var scanner = StreamScanner(label: label)
        return try scanner.scan(bytes)
    }

    @Test("streams come in pieces of any size, and end at the same place")
    func pieces() throws {
        var random = RandomMessages(seed: 10)
        for _ in 0..<200 {
            let label = random.bool() ? blue : []
            let body = StreamBody.encode(random.streamMessage(), compress: random.bool())
            let stream = Label.header(label) + body
            var scanner = StreamScanner(label: label)
            var count = 0
            while true {
                let progress = try scanner.scan([UInt8](stream[..<count]))
                guard count < stream.count else {
                    #expect(progress == .complete(length: stream.count))
                    break
                }
                #expect(progress == .needsMore)
                count = min(stream.count, count + random.number(1...max(1, stream.count / 4)))
            }
        }
    }

    @Test("a label is told as soon as it is wrong")
    func labels() throws {
        #expect(try scan([0xf4], label: blue) == .needsMore)
        #expect(try scan([0xf4, 4] + blue, label: blue) == .needsMore)
        #expect(throws: WireError.wrongLabel) { try scan([0], label: blue) }
        #expect(throws: WireError.wrongLabel) { try scan([0xf4, 5], label: blue) }
        #expect(throws: WireError.wrongLabel) { try scan([0xf4, 4, 98, 109], label: blue) }
        #expect(throws: WireError.wrongLabel) { try scan([0xf4]) }
        #expect(try scan([]) == .needsMore)
    }

    @Test("an encrypted body is as long as it says, within its limits")
    func encrypted() throws {
        let frame = EncryptedFrame(
            version: 1, nonce: [UInt8](repeating: 1, count: 12), ciphertext: [1, 2, 3],
            tag: [UInt8](repeating: 2, count: 16))
        let stream = frame.stream()
        #expect(try scan(stream) == .complete(length: stream.count))
        #expect(try scan([UInt8](stream.dropLast())) == .needsMore)
        #expect(try scan([10, 0, 0, 0]) == .needsMore)
        #expect(try scan([10, 1, 0x40, 0, 0]) == .needsMore)
        #expect(throws: WireError.tooLong(limit: EncryptedFrame.streamFrameMax)) {
            try scan([10, 1, 0x40, 0, 1])
        }
        #expect(throws: WireError.tooLong(limit: EncryptedFrame.streamFrameMax)) {
            try scan([10, 0xff, 0xff, 0xff, 0xff])
        }
        #expect(
            throws: WireError.malformed("an encrypted stream is shorter than its nonce and tag")
        ) {
            try scan([10, 0, 0, 0, 28])
        }
    }

    @Test("what is declared too long is refused with its head, not when it has come")
    func declaredTooLong() {
        let most = StreamScanner.bytesMaxDefault
        for head in [
            "09 81 a3427566 dbffffffff", "00 ddffffffff", "00 dfffffffff", "0d 81 c6ffffffff",
            "00 c9ffffffff",
        ] {
            #expect(throws: WireError.tooLong(limit: most), "\(head)") { try scan(hexBytes(head)) }
        }
        let pushPull = "06 82 a54e6f646573 ce00100000 ac5573657253746174654c656e ce01400000"
        #expect(throws: WireError.tooLong(limit: most)) { try scan(hexBytes(pushPull)) }
        #expect(throws: WireError.tooLong(limit: PushPull.nodesMax)) {
            try scan(hexBytes("06 81 a54e6f646573 ce00100001"))
        }
        #expect(throws: WireError.tooLong(limit: PushPull.userStateMax)) {
            try scan(hexBytes("08 81 aa557365724d73674c656e ce01400001"))
        }
        #expect(throws: WireError.malformed("a count is negative")) {
            try scan(hexBytes("06 81 a54e6f646573 ff"))
        }
    }

    @Test("the map in front of records is short")
    func longHeader() {
        #expect(throws: WireError.self) { try scan(hexBytes("06 81 da0400")) }
        #expect(throws: WireError.self) { try scan(hexBytes("06 dc0401")) }
    }

    @Test("a stream that never ends is refused at its limit")
    func endless() throws {
        var scanner = StreamScanner(bytesMax: 100)
        // A list in a list in a list: each is a whole head, and none ends.
        let lists = [UInt8](repeating: 0x91, count: 98)
        #expect(try scanner.scan([0] + lists) == .needsMore)
        #expect(throws: WireError.tooLong(limit: 100)) {
            try scanner.scan([0] + lists + [0x91, 0x91])
        }
    }

    @Test("nesting costs no memory, however deep it is")
    func deep() throws {
        let depth = 1_000_000
        let bytes = [0] + [UInt8](repeating: 0x91, count: depth) + [0xc0]
        #expect(try scan(bytes) == .complete(length: bytes.count))
        #expect(throws: WireError.malformed("a map was expected")) { try StreamBody.decode(bytes) }
    }

    @Test("bytes that begin no value are malformed")
    func noValue() {
        #expect(throws: WireError.malformed("c1 begins no value")) { try scan([0, 0x91, 0xc1]) }
    }
}
