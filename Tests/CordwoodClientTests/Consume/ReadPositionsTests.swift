// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogAPI
import Records
import Testing

@testable import CordwoodClient

@Suite("Read positions")
struct ReadPositionsTests {
    @Test("reading ends where the partitions ended when it began")
    func bounded() throws {
        var positions = ReadPositions([found(0, 0, end: 3), found(1, 5, end: 5)], follow: false)
        #expect(positions.wanted.map(\.partition) == [0])
        // The server read further meanwhile: what lies behind the end is not ours.
        let batches = try positions.receive(message(0, ["a", "b", "c", "d"], at: 0), topic: "t")
        #expect(batches.flatMap(\.records).map(\.text) == ["a", "b", "c"])
        #expect(batches.map(\.nextOffset) == [3])
        #expect(positions.isAtEnd && positions.wanted.isEmpty)
    }

    @Test("a reader that follows never ends, and goes on behind what came")
    func following() throws {
        var positions = ReadPositions([found(0, 2, end: 2)], follow: true)
        #expect(!positions.isAtEnd)
        let batches = try positions.receive(message(0, ["a", "b", "c", "d"], at: 0), topic: "t")
        #expect(batches.flatMap(\.records).map(\.text) == ["c", "d"])
        #expect(positions.wanted.first?.offsets.lowerBound == 4)
        #expect(try positions.receive(message(0, ["c", "d"], at: 2), topic: "t").isEmpty)
        #expect(positions.wanted.first?.offsets.lowerBound == 4)
    }

    @Test("offsets that no record holds are passed over by the server's word")
    func gap() throws {
        var positions = ReadPositions([found(0, 0, end: 9)], follow: false)
        var empty = message(0, [], at: 0)
        empty.nextOffset = 6
        #expect(try positions.receive(empty, topic: "t").isEmpty)
        #expect(positions.wanted.first?.offsets == 6..<9)
    }

    @Test("a partition that was not asked for is refused")
    func foreign() {
        var positions = ReadPositions([found(0, 0, end: 9)], follow: false)
        #expect(throws: CordwoodError.self) {
            try positions.receive(message(1, ["a"], at: 0), topic: "t")
        }
    }

    @Test("a message that is damaged moves nothing")
    func damaged() throws {
        var positions = ReadPositions([found(0, 0, end: 9)], follow: false)
        var damaged = message(0, ["a"], at: 0)
        damaged.encodedBatches[damaged.encodedBatches.count - 1] ^= 1
        #expect(throws: CordwoodError.self) { try positions.receive(damaged, topic: "t") }
        #expect(positions.wanted.first?.offsets == 0..<9)
    }

    private func found(_ partition: Int, _ offset: Offset, end: Offset) -> FoundOffset {
        FoundOffset(
            partition: partition, offset: offset, timestamp: nil, logStartOffset: 0,
            highWatermark: end)
    }

    private func message(
        _ partition: Int32, _ texts: [String], at offset: Offset
    ) -> Cordwood_V1_ConsumeResponse {
        var message = Cordwood_V1_ConsumeResponse()
        message.partition.topic = "t"
        message.partition.partition = partition
        if !texts.isEmpty {
            message.encodedBatches = Data(BatchDecoderTests.batch(texts, at: offset))
        }
        message.nextOffset = offset.advanced(by: texts.count).rawValue
        return message
    }
}
