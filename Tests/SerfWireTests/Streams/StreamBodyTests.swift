// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

struct StreamBodyTests {
    @Test(
        "messages by a seed are the same once written and read, and are whole with their last byte")
    func roundTrip() throws {
        var random = RandomMessages(seed: 9)
        for _ in 0..<300 {
            let message = random.streamMessage()
            for compress in [false, true] {
                let body = StreamBody.encode(message, compress: compress)
                #expect(try StreamBody.decode(body) == message)
                var scanner = StreamScanner()
                #expect(try scanner.scan(body) == .complete(length: body.count))
                var waiting = StreamScanner()
                #expect(try waiting.scan([UInt8](body.dropLast())) == .needsMore)
            }
        }
    }

    @Test("a body is compressed wherever that is asked, longer or not")
    func compressesAlways() {
        let message = SwimMessage.ack(Ack(sequence: 7, payload: []))
        let body = StreamBody.encode(message, compress: true)
        #expect(body.first == 9)
        #expect(body.count > message.encoded().count)
    }

    @Test(
        "a kind that only packets carry is unknown",
        arguments: [1, 3, 4, 5, 7, 10, 11, 12, 14, 244] as [UInt8])
    func packetKinds(_ type: UInt8) {
        #expect(throws: WireError.unknownType(type)) { try StreamBody.decode([type, 0x80]) }
        var scanner = StreamScanner()
        guard type != 10 else { return }
        let expected: WireError = type == 244 ? .wrongLabel : .unknownType(type)
        #expect(throws: expected) { try scanner.scan([type, 0x80]) }
    }

    @Test("compressed twice is refused")
    func compressedTwice() {
        let inner = StreamBody.encode(.error("no"), compress: true)
        var writer = MessagePackWriter([9])
        writer.writeMapHead(1)
        writer.writeKey("Buf")
        writer.write(Lzw.compress(inner))
        #expect(throws: WireError.unknownType(9)) { try StreamBody.decode(writer.bytes) }
    }

    @Test("a user message is as long as it says")
    func userMessage() throws {
        let head = hexBytes("08 81 aa557365724d73674c656e")
        #expect(try StreamBody.decode(head + [2, 65, 66]) == .user([65, 66]))
        #expect(try StreamBody.decode(head + [2, 65, 66, 67]) == .user([65, 66]))
        #expect(try StreamBody.decode(head + hexBytes("d10002 4142")) == .user([65, 66]))
        #expect(throws: WireError.truncated) { try StreamBody.decode(head + [2, 65]) }
        #expect(throws: WireError.malformed("a length is negative")) {
            try StreamBody.decode(head + [0xff])
        }
        #expect(throws: WireError.tooLong(limit: PushPull.userStateMax)) {
            try StreamBody.decode(head + hexBytes("ce01400001"))
        }
    }
}
