// SPDX-License-Identifier: Apache-2.0

import Bytes
import Records
import Testing

@testable import CommitLog

@Suite("The table of idempotent producers")
struct ProducerTableTests {
    private let now = ProducerHarness.now

    private func header(_ producer: Int64, _ sequence: Int32) -> BatchHeader {
        ProducerHarness.header(producer, sequence: sequence)
    }

    @Test("forgets, when full, who has not appended for the longest time, and nobody else")
    func bounds() {
        var table = ProducerTable(limits: .init(producersMax: 3))
        for producer in Int64(1)...3 { table.note(header(producer, 0), at: 0, now: now) }
        table.note(header(1, 1), at: 1, now: now)
        table.note(header(4, 0), at: 2, now: now)
        table.commit()
        #expect(table.count == 3)
        #expect(table.window(of: 2) == nil)
        #expect(table.window(of: 1)?.count == 2)
        table.expire(now: Timestamp(milliseconds: now.rawValue + ProducerHarness.week))
        #expect(table.count == 3)
        table.expire(now: Timestamp(milliseconds: now.rawValue + ProducerHarness.week + 1))
        #expect(table.isEmpty)
        table.checkInvariants()
    }

    @Test("is as before when a write is taken back, even one that pushed others out")
    func undo() {
        var table = ProducerTable(limits: .init(producersMax: 2))
        table.note(header(1, 0), at: 0, now: now)
        table.note(header(2, 0), at: 1, now: now)
        table.commit()
        table.note(header(2, 1), at: 2, now: now)
        table.note(header(3, 0), at: 3, now: now)
        table.note(header(1, 9), at: 4, now: now)
        table.note(header(2, 1), at: 5, now: now)
        table.undo()
        table.checkInvariants()
        // What was pushed out stays out; what was never written is not known.
        #expect(table.window(of: 3) == nil)
        #expect(table.window(of: 1) == nil)
        #expect(table.judge(header(2, 7)) == .new)
    }

    /// The rules in the plainest way there is.
    private struct Model {
        struct Producer {
            var epoch: Int16
            var batches: [(first: Int32, last: Int32, offset: Offset)] = []
        }
        var producers: [(id: Int64, state: Producer)] = []

        func judge(_ header: BatchHeader) -> ProducerVerdict {
            guard let known = producers.first(where: { $0.id == header.producerID })?.state else {
                return .new
            }
            let first = header.baseSequence
            if header.producerEpoch < known.epoch {
                return .refused(.staleEpoch(current: known.epoch, received: header.producerEpoch))
            }
            if header.producerEpoch > known.epoch {
                return first == 0 ? .new : .refused(.outOfOrder(expected: 0, received: first))
            }
            let last = Self.last(first, header.recordCount)
            for batch in known.batches.suffix(5) where batch.first == first && batch.last == last {
                return .duplicate(batch.offset)
            }
            let end = known.batches.last.map { Self.last($0.last, 2) } ?? first
            return first == end ? .new : .refused(.outOfOrder(expected: end, received: first))
        }

        mutating func note(_ header: BatchHeader, at offset: Offset) {
            var state = Producer(epoch: header.producerEpoch)
            if let place = producers.firstIndex(where: { $0.id == header.producerID }) {
                let known = producers.remove(at: place).state
                if known.epoch == state.epoch { state = known }
            }
            let last = Self.last(header.baseSequence, header.recordCount)
            state.batches.append((header.baseSequence, last, offset))
            producers.append((header.producerID, state))
            if producers.count > 4 { producers.removeFirst() }
        }

        private static func last(_ first: Int32, _ count: Int32) -> Int32 {
            let sum = Int64(first) + Int64(count) - 1
            return Int32(sum > Int64(Int32.max) ? sum - Int64(Int32.max) - 1 : sum)
        }
    }

    @Test("answers as a plain list of all batches would, over random ones", arguments: 1...40)
    func model(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var table = ProducerTable(limits: .init(producersMax: 4))
        var model = Model()
        var sent: [BatchHeader] = []
        for offset in Int64(0)..<400 {
            var header = header(Int64.random(in: 0..<6, using: &random), 0)
            header.producerEpoch = Int16.random(in: 0..<3, using: &random) / 2
            header.recordCount = Int32.random(in: 1..<4, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0: header.baseSequence = Int32.random(in: 0..<20, using: &random)
            case 1: header.baseSequence = .max - Int32.random(in: 0..<5, using: &random)
            case 2..<5:
                header = sent.suffix(12).randomElement(using: &random) ?? header
            default:
                if let last = sent.last(where: { $0.producerID == header.producerID }) {
                    header.producerEpoch = last.producerEpoch
                    header.baseSequence = ProducerWindow.next(
                        ProducerWindow.last(first: last.baseSequence, count: last.recordCount))
                }
            }
            let verdict = table.judge(header)
            #expect(verdict == model.judge(header), "seed \(seed), batch \(offset)")
            guard verdict == .new else { continue }
            table.note(header, at: Offset(offset), now: now)
            if Int.random(in: 0..<5, using: &random) == 0, table.count < 4 {
                // A write that fails, but for what it pushes out.
                table.undo()
            } else {
                table.commit()
                model.note(header, at: Offset(offset))
                sent.append(header)
            }
            table.checkInvariants()
        }
    }
}
