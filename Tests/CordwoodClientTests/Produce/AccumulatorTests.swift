// SPDX-License-Identifier: Apache-2.0

import Bytes
import Records
import Testing

@testable import CordwoodClient

@Suite("Accumulator")
struct AccumulatorTests {
    let start = ContinuousClock.now

    @Test("a batch waits for as long as it is told to, and then goes")
    func linger() {
        var accumulator = accumulator(.init(linger: .milliseconds(5)))
        #expect(accumulator.nextDeadline == nil)
        accumulator.add("a", at: start)
        accumulator.add("b", at: start + .milliseconds(4))
        #expect(accumulator.nextDeadline == start + .milliseconds(5))
        #expect(!accumulator.hasWork(at: start + .milliseconds(4)))
        #expect(accumulator.take(at: start + .milliseconds(4)).isEmpty)
        #expect(accumulator.hasWork(at: start + .milliseconds(5)))
        #expect(accumulator.take(at: start + .milliseconds(5)) == [["a", "b"]])
        #expect(accumulator.nextDeadline == nil)
    }

    @Test("a full batch goes at once")
    func full() {
        var accumulator = accumulator(.init(linger: .seconds(60), batchBytesMax: 400))
        let text = String(repeating: "x", count: 100)
        accumulator.add(text, at: start)
        accumulator.add(text, at: start)
        #expect(accumulator.take(at: start).isEmpty)
        accumulator.add(text, at: start)
        #expect(accumulator.take(at: start).map(\.count) == [2])
    }

    @Test("a record over the batch's limit travels alone")
    func oversize() {
        var accumulator = accumulator(.init(linger: .seconds(60), batchBytesMax: 200))
        let large = String(repeating: "x", count: 1000)
        accumulator.add("a", at: start)
        accumulator.add(large, at: start)
        accumulator.add("b", at: start)
        #expect(accumulator.take(at: start) == [["a"], [large]])
        accumulator.sealAll()
        #expect(accumulator.take(at: start) == [["b"]])
    }

    @Test("each partition has a batch of its own, and the oldest goes first")
    func partitions() {
        var accumulator = accumulator(.init(linger: .milliseconds(5)), partitionCount: 3)
        accumulator.add("two", to: 2, at: start)
        accumulator.add("zero", to: 0, at: start + .milliseconds(1))
        accumulator.add("two again", to: 2, at: start + .milliseconds(2))
        #expect(accumulator.take(at: start + .milliseconds(5)) == [["two", "two again"]])
        #expect(accumulator.nextDeadline == start + .milliseconds(6))
        #expect(accumulator.take(at: start + .milliseconds(6)) == [["zero"]])
    }

    @Test("records without a key stay with a partition until its batch is sealed")
    func sticky() {
        var accumulator = accumulator(.init(linger: .zero), partitionCount: 3)
        var chosen: [Int] = []
        for _ in 0..<4 {
            chosen.append(accumulator.add("a", at: start))
            chosen.append(accumulator.add("b", at: start))
            accumulator.sealAll()
        }
        #expect(chosen == [0, 0, 1, 1, 2, 2, 0, 0])
    }

    @Test("records of one key go to the key's partition")
    func keyed() {
        var accumulator = accumulator(.init(), partitionCount: 12)
        let record = Record("v", key: "u42")
        let added = accumulator.add(record, to: nil, isWatched: false, now: start)
        #expect(added.partition == 11)
    }

    @Test("the window holds what is unanswered, and one record always fits an empty one")
    func window() {
        var accumulator = accumulator(.init(linger: .zero, windowBytesMax: 100))
        #expect(accumulator.hasRoom(for: 1_000_000))
        accumulator.add(String(repeating: "x", count: 90), at: start)
        #expect(!accumulator.hasRoom(for: 10))
        #expect(accumulator.take(at: start).count == 1)
        #expect(!accumulator.hasRoom(for: 10))
        _ = accumulator.finishOldest()
        #expect(accumulator.hasRoom(for: 10))
        #expect(accumulator.isEmpty)
    }

    @Test("while the wire is full a batch stays open and grows")
    func wireFull() {
        var accumulator = accumulator(.init(linger: .zero, batchesInFlightMax: 1))
        accumulator.add("a", at: start)
        #expect(accumulator.take(at: start) == [["a"]])
        accumulator.add("b", at: start)
        #expect(!accumulator.hasWork(at: start))
        #expect(accumulator.take(at: start).isEmpty)
        accumulator.add("c", at: start)
        _ = accumulator.finishOldest()
        #expect(accumulator.take(at: start) == [["b", "c"]])
    }

    @Test("batches refused one after the other go out again in their order, before younger ones")
    func refused() {
        var accumulator = accumulator(.init(linger: .zero))
        for text in ["a", "b", "c"] {
            accumulator.add(text, at: start)
            accumulator.sealAll()
        }
        #expect(accumulator.take(at: start) == [["a"], ["b"], ["c"]])
        accumulator.add("d", at: start)
        accumulator.sealAll()
        accumulator.retryOldest(refusedSince: start)
        accumulator.retryOldest(refusedSince: start)
        #expect(accumulator.oldestInFlight?.texts == ["c"])
        #expect(accumulator.take(at: start) == [["a"], ["b"], ["d"]])
    }

    @Test("what was lost with the connection goes out again in order")
    func lost() {
        var accumulator = accumulator(.init(linger: .zero))
        for text in ["a", "b"] {
            accumulator.add(text, at: start)
            accumulator.sealAll()
        }
        _ = accumulator.take(at: start)
        accumulator.retryOldest(refusedSince: start)
        accumulator.add("c", at: start)
        accumulator.sealAll()
        accumulator.retryInFlight()
        #expect(accumulator.take(at: start) == [["a"], ["b"], ["c"]])
    }

    @Test("what is given up frees the window")
    func abandoned() {
        var accumulator = accumulator(.init(linger: .zero))
        accumulator.add("a", at: start)
        _ = accumulator.take(at: start)
        accumulator.add("b", at: start)
        let inFlight = accumulator.abandonInFlight()
        #expect(inFlight.map(\.texts) == [["a"]])
        #expect(!accumulator.isEmpty)
        let rest = accumulator.abandonAll()
        #expect(rest.map(\.texts) == [["b"]])
        #expect(accumulator.isEmpty && accumulator.pendingOutcomes.isEmpty)
    }

    @Test(
        "whatever happens, each record is answered once, in its partition's order",
        arguments: 1...200 as ClosedRange<UInt64>)
    func histories(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let options = ProducerOptions(
            linger: .milliseconds(Int.random(in: 0...3, using: &random)),
            batchBytesMax: Int.random(in: 80...400, using: &random), windowBytesMax: 2000,
            batchesInFlightMax: Int.random(in: 1...4, using: &random))
        var accumulator = accumulator(options, partitionCount: 3)
        var now = start
        var sent: [[String]] = [[], [], []]
        var answered: [[String]] = [[], [], []]
        for number in 0..<300 {
            now += .microseconds(Int.random(in: 0...900, using: &random))
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                guard accumulator.hasRoom(for: 60) else { break }
                let text = "\(number)"
                let partition = Bool.random(using: &random) ? 2 : nil
                sent[accumulator.add(text, to: partition, at: now)].append(text)
            case 6..<8:
                _ = accumulator.takeReady(at: now)
            case 8:
                guard let batch = accumulator.finishOldest() else { break }
                answered[batch.partition] += batch.texts
            default:
                accumulator.retryInFlight()
            }
            #expect(accumulator.windowBytes <= 2000)
        }
        accumulator.sealAll()
        while !accumulator.isEmpty {
            _ = accumulator.takeReady(at: now)
            guard let batch = accumulator.finishOldest() else { break }
            answered[batch.partition] += batch.texts
        }
        #expect(answered == sent)
        #expect(accumulator.isEmpty)
    }

    private func accumulator(
        _ options: ProducerOptions, partitionCount: Int = 1
    ) -> Accumulator {
        Accumulator(partitionCount: partitionCount, options: options)
    }
}

extension Accumulator {
    /// Adds a record of text, and says which partition it went to.
    @discardableResult
    fileprivate mutating func add(_ text: String, to partition: Int? = nil, at now: Instant) -> Int
    {
        add(Record(text), to: partition, isWatched: false, now: now).partition
    }

    /// The texts of the batches to write.
    fileprivate mutating func take(at now: Instant) -> [[String]] {
        takeReady(at: now).map(\.texts)
    }
}

extension SealedBatch {
    /// The values of the batch's records, as text.
    var texts: [String] {
        withExtendedLifetime(buffer) {
            let batches = try? BatchDecoder.batches(in: buffer.bytes, wanted: 0..<Offset(Int64.max))
            return batches?.flatMap(\.records).map {
                String(decoding: $0.value ?? [], as: UTF8.self)
            }
                ?? []
        }
    }
}
