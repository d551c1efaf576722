// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

struct EncryptedFrameTests {
    private let nonce = [UInt8](0..<12)
    private let tag = [UInt8](100..<116)

    private func frame(_ ciphertext: [UInt8], version: UInt8 = 1) -> EncryptedFrame {
        EncryptedFrame(version: version, nonce: nonce, ciphertext: ciphertext, tag: tag)
    }

    @Test("a frame is version, nonce, ciphertext and tag; a stream has its length before")
    func layout() throws {
        let frame = frame([1, 2, 3])
        #expect(frame.packet() == [1] + nonce + [1, 2, 3] + tag)
        #expect(frame.stream() == [10, 0, 0, 0, 32] + frame.packet())
        #expect(try EncryptedFrame(packet: frame.packet()) == frame)
        #expect(try EncryptedFrame(stream: frame.stream()) == frame)
        #expect(frame.size == 3 + EncryptedFrame.overhead(version: 1))
        #expect(EncryptedFrame.overhead(version: 1) == 29)
        #expect(EncryptedFrame.overhead(version: 0) == 45)
    }

    @Test("what is authenticated besides is the label, in a stream behind its header")
    func additionalData() {
        #expect(EncryptedFrame.packetAdditionalData(label: []).isEmpty)
        #expect(EncryptedFrame.packetAdditionalData(label: [7]) == [7])
        #expect(
            EncryptedFrame.streamAdditionalData(frameSize: 0x1234, label: []) == [
                10, 0, 0, 0x12, 0x34,
            ])
        #expect(
            EncryptedFrame.streamAdditionalData(frameSize: 29, label: [7]) == [10, 0, 0, 0, 29, 7])
    }

    @Test("frames that are too short, of another version or of another length are refused")
    func refused() {
        let frame = frame([])
        #expect(throws: WireError.truncated) { try EncryptedFrame(packet: []) }
        #expect(throws: WireError.truncated) {
            try EncryptedFrame(packet: [UInt8](frame.packet().dropLast()))
        }
        #expect(throws: WireError.unsupported("encryption version 2")) {
            try EncryptedFrame(packet: [2] + frame.packet().dropFirst())
        }
        #expect(throws: WireError.unknownType(9)) { try EncryptedFrame(stream: [9, 0, 0, 0, 0]) }
        #expect(throws: WireError.truncated) { try EncryptedFrame(stream: []) }
        #expect(throws: WireError.truncated) { try EncryptedFrame(stream: [10, 0, 0]) }
        #expect(throws: WireError.truncated) {
            try EncryptedFrame(stream: [UInt8](frame.stream().dropLast()))
        }
        #expect(throws: WireError.malformed("an encrypted stream goes on behind its frame")) {
            try EncryptedFrame(stream: frame.stream() + [0])
        }
        #expect(throws: WireError.tooLong(limit: EncryptedFrame.streamFrameMax)) {
            try EncryptedFrame(stream: [10, 1, 0x40, 0, 1])
        }
    }

    @Test("version 0 pads to 16 bytes, a whole block where nothing is missing", arguments: 0...33)
    func padding(_ count: Int) throws {
        let message = [UInt8](repeating: 9, count: count)
        let padded = EncryptedFrame.plaintext(ofMessage: message, version: 0)
        #expect(padded.count % 16 == 0)
        #expect(padded.count > count)
        #expect(try frame([], version: 0).message(ofPlaintext: padded) == message)
        #expect(EncryptedFrame.size(ofMessage: count, version: 0) == 29 + padded.count)
        #expect(EncryptedFrame.plaintext(ofMessage: message, version: 1) == message)
        #expect(try frame([], version: 1).message(ofPlaintext: message) == message)
        #expect(EncryptedFrame.size(ofMessage: count) == 29 + count)
    }

    @Test("padding that is none is refused")
    func badPadding() {
        let block = [UInt8](repeating: 1, count: 13)
        for bad in [[], block, block + [3, 3, 0], block + [3, 2, 3], block + [3, 3, 17]] {
            #expect(throws: WireError.malformed("a message of encryption version 0 is not padded"))
            {
                try frame([], version: 0).message(ofPlaintext: bad)
            }
        }
    }
}
