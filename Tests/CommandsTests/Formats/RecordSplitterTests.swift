// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Commands

@Suite("Cutting a stream into records")
struct RecordSplitterTests {
    /// All pieces of bytes that come in chunks of a size, and the rest.
    private func pieces(
        _ text: String, delimiter: String = "\n", chunk: Int
    ) -> (pieces: [String], rest: String?) {
        var splitter = RecordSplitter(delimiter: Array(delimiter.utf8))
        var pieces: [String] = []
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            splitter.append(Array(bytes.prefix(chunk)))
            bytes = bytes.dropFirst(chunk)
            while let piece = splitter.next() {
                pieces.append(String(decoding: piece, as: UTF8.self))
            }
        }
        return (pieces, splitter.takeRest().map { String(decoding: $0, as: UTF8.self) })
    }

    @Test("the pieces do not depend on how the bytes come", arguments: 1..<20)
    func chunks(size: Int) {
        let lines = pieces("a\n\nlonger line\r\nlast", chunk: size)
        #expect(lines.pieces == ["a", "", "longer line\r"])
        #expect(lines.rest == "last")
        let ended = pieces("one\ntwo\n", chunk: size)
        #expect(ended.pieces == ["one", "two"])
        #expect(ended.rest == nil)
        let wide = pieces("a--b---c-d--", delimiter: "--", chunk: size)
        #expect(wide.pieces == ["a", "b", "-c-d"])
        #expect(wide.rest == nil)
        #expect(pieces("-", delimiter: "--", chunk: size).rest == "-")
    }

    @Test("no bytes are no pieces, and one delimiter is an empty one")
    func small() {
        #expect(pieces("", chunk: 5).pieces.isEmpty)
        #expect(pieces("", chunk: 5).rest == nil)
        #expect(pieces("\n", chunk: 5).pieces == [""])
    }

    @Test("random bytes come together again", arguments: 0..<20)
    func random(seed: Int) {
        var state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 | 1
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let bytes = (0..<2000).map { _ in UInt8(next(4)) }
        let delimiter = (0...next(3)).map { _ in UInt8(next(4)) }
        var splitter = RecordSplitter(delimiter: delimiter)
        var joined: [UInt8] = []
        var position = 0
        while position < bytes.count {
            let count = min(1 + next(50), bytes.count - position)
            splitter.append(Array(bytes[position..<position + count]))
            position += count
            while let piece = splitter.next() { joined += piece + delimiter }
        }
        joined += splitter.takeRest() ?? []
        #expect(joined == bytes)
    }
}
