// SPDX-License-Identifier: Apache-2.0

import Records
import Simulation
import Testing

/// A history of one operation after another, told in few words.
private struct Story {
    var history = History()
    var log: [UInt64]?

    @discardableResult
    mutating func append(
        _ value: UInt64, count: UInt64 = 1, sequence: ProducerSequence? = nil,
        _ outcome: AppendOutcome
    ) -> OperationID {
        let id = history.beginAppend(
            client: 1, values: value..<(value + count), sequence: sequence, at: 0)
        history.endAppend(id, outcome, at: 1)
        return id
    }

    /// Acknowledged in term 1.
    @discardableResult
    mutating func append(_ value: UInt64, count: UInt64 = 1, at base: Int64) -> OperationID {
        append(value, count: count, .acknowledged(Offset(base), Term(1)))
    }

    @discardableResult
    mutating func poll(
        _ records: [(Int64, UInt64)], from: Int64 = 0, isSeek: Bool = true
    ) -> OperationID {
        let id = history.beginPoll(
            consumer: 2, replica: 1, from: Offset(from), isSeek: isSeek, at: 0)
        history.endPoll(id, records: records.map { SeenRecord(Offset($0.0), $0.1) }, at: 1)
        return id
    }

    @discardableResult
    mutating func end(_ end: Int64, isLinearizable: Bool = true) -> OperationID {
        let id = history.beginEndRead(
            client: 3, replica: 1, isLinearizable: isLinearizable, at: 0)
        history.endEndRead(id, end: Offset(end), at: 1)
        return id
    }

    func anomalies(start: Int64 = 0, allWereRead: Bool = false) -> [Anomaly] {
        HistoryChecker.check(
            history, finalLog: log.map { FinalLog(start: Offset(start), values: $0) },
            allWereRead: allWereRead)
    }
}

@Suite("A planted anomaly is found")
struct PlantedAnomalyTests {
    @Test("when an acknowledged append is not in the final log")
    func lostWrite() {
        var story = Story()
        story.append(10, at: 0)
        let lost = story.append(11, at: 1)
        story.log = [10]
        #expect(story.anomalies() == [Anomaly(.lostWrite, [lost], offset: 1, value: 11)])
    }

    @Test("but not when retention took it")
    func retained() {
        var story = Story()
        story.append(10, at: 0)
        story.append(11, at: 1)
        story.log = [11]
        #expect(story.anomalies(start: 1).isEmpty)
    }

    @Test("when one append is at two offsets")
    func duplicate() {
        var story = Story()
        let twice = story.append(10, at: 0)
        story.log = [10, 10]
        #expect(story.anomalies() == [Anomaly(.duplicate, [twice], offset: 1)])
    }

    @Test("when two values are read at one offset")
    func inconsistentOffset() {
        var story = Story()
        story.append(10, .unknown)
        story.append(11, .unknown)
        let first = story.poll([(0, 10)])
        let second = story.poll([(0, 11)])
        #expect(
            story.anomalies() == [
                Anomaly(.inconsistentOffset, [first, second], offset: 0, value: 11)
            ])
    }

    @Test("when two appends are acknowledged at one offset")
    func offsetReused() {
        var story = Story()
        let first = story.append(10, at: 0)
        let second = story.append(11, at: 0)
        #expect(
            story.anomalies() == [
                Anomaly(.offsetReused, [first, second], offset: 0),
                Anomaly(.reordered, [first, second], offset: 0),
            ])
    }

    @Test("when an append lies before one that was acknowledged before it began")
    func reordered() {
        var story = Story()
        let first = story.append(10, at: 1)
        let second = story.append(11, at: 0)
        story.log = [11, 10]
        #expect(story.anomalies() == [Anomaly(.reordered, [first, second], offset: 0)])
    }

    @Test("when an append of unknown outcome lies before one that was acknowledged before it began")
    func reorderedUnknown() {
        var story = Story()
        let first = story.append(10, at: 1)
        let second = story.append(11, .unknown)
        story.log = [11, 10]
        #expect(story.anomalies() == [Anomaly(.reordered, [first, second], offset: 0)])
    }

    @Test("but not when the two were under way together")
    func concurrent() {
        var story = Story()
        let first = story.history.beginAppend(client: 1, values: 10..<11, at: 0)
        let second = story.history.beginAppend(client: 2, values: 11..<12, at: 0)
        story.history.endAppend(first, .acknowledged(1, Term(1)), at: 1)
        story.history.endAppend(second, .acknowledged(0, Term(1)), at: 2)
        story.log = [11, 10]
        #expect(story.anomalies().isEmpty)
    }

    @Test("when a later record has an earlier term")
    func termFell() {
        var story = Story()
        let first = story.append(10, .acknowledged(0, Term(2)))
        let second = story.append(11, .acknowledged(1, Term(1)))
        #expect(story.anomalies() == [Anomaly(.termFell, [first, second], offset: 1)])
    }

    @Test("when a value is read that nobody appended")
    func phantomRead() {
        var story = Story()
        let poll = story.poll([(0, 10)])
        #expect(story.anomalies() == [Anomaly(.phantomRead, [poll], offset: 0, value: 10)])
    }

    @Test("when a value is read before it is appended")
    func earlyRead() {
        var story = Story()
        let poll = story.poll([(0, 10)])
        let append = story.append(10, .unknown)
        #expect(
            Set(story.anomalies()) == [
                Anomaly(.phantomRead, [poll, append], value: 10),
                Anomaly(.reordered, [poll, append], offset: 0),
            ])
    }

    @Test("when a value is read whose append failed")
    func abortedRead() {
        var story = Story()
        let append = story.append(10, .failed)
        let poll = story.poll([(0, 10)])
        #expect(story.anomalies() == [Anomaly(.abortedRead, [poll, append], value: 10)])
    }

    @Test("when a linearizable end read misses an append acknowledged before")
    func staleRead() {
        var story = Story()
        story.append(10, at: 0)
        let append = story.append(11, at: 1)
        let read = story.end(1)
        #expect(story.anomalies() == [Anomaly(.staleRead, [append, read], offset: 1)])
    }

    @Test("but not when a plain end read does")
    func plainRead() {
        var story = Story()
        story.append(10, at: 0)
        story.end(0, isLinearizable: false)
        #expect(story.anomalies().isEmpty)
    }

    @Test("when a consumer gets an offset again")
    func nonMonotonicPoll() {
        var story = Story()
        story.append(10, at: 0)
        story.poll([(0, 10)])
        let poll = story.poll([(0, 10)], from: 0, isSeek: false)
        #expect(story.anomalies() == [Anomaly(.nonMonotonicPoll, [poll], offset: 0)])
    }

    @Test("when a consumer is led past an offset, within a poll or between two")
    func pollSkip() {
        var story = Story()
        for value in 0..<5 as Range<UInt64> { story.append(value, at: Int64(value)) }
        let within = story.poll([(0, 0), (2, 2)])
        let between = story.poll([(4, 4)], from: 4, isSeek: false)
        #expect(
            story.anomalies() == [
                Anomaly(.pollSkip, [within], offset: 1), Anomaly(.pollSkip, [between], offset: 3),
            ])
    }

    @Test("when an acknowledged record is never read, though all should have been")
    func unseen() {
        var story = Story()
        story.append(10, at: 0)
        let append = story.append(11, at: 1)
        story.poll([(0, 10)])
        story.log = [10, 11]
        #expect(story.anomalies().isEmpty)
        #expect(
            story.anomalies(allWereRead: true) == [
                Anomaly(.unseen, [append], offset: 1, value: 11)
            ])
    }

    @Test("when a reader is shown what is not committed in the end")
    func dirtyRead() {
        var story = Story()
        story.append(10, .unknown)
        let poll = story.poll([(0, 10)])
        let end = story.end(1, isLinearizable: false)
        story.log = []
        #expect(
            story.anomalies() == [
                Anomaly(.dirtyRead, [poll], offset: 0, value: 10),
                Anomaly(.dirtyRead, [end], offset: 1),
            ])
    }

    @Test("when only a part of an append is there, or is shown as the end")
    func tornAppend() {
        var story = Story()
        let whole = story.append(10, count: 2, at: 0)
        let end = story.end(1, isLinearizable: false)
        let torn = story.append(20, count: 2, .unknown)
        story.log = [10, 11, 20]
        #expect(
            story.anomalies() == [
                Anomaly(.tornAppend, [whole, end], offset: 1),
                Anomaly(.tornAppend, [torn], offset: 2),
            ])
    }

    private func sequence(_ first: Int64, epoch: Int32 = 0) -> ProducerSequence {
        ProducerSequence(producer: 1, epoch: epoch, first: first)
    }

    @Test("when a producer's appends are not in the order of their sequence")
    func sequenceBroken() {
        var story = Story()
        let second = story.append(11, sequence: sequence(1), .unknown)
        let first = story.append(10, sequence: sequence(0), .unknown)
        story.log = [11, 10]
        #expect(story.anomalies() == [Anomaly(.sequenceBroken, [first, second], offset: 0)])
    }

    @Test("when a producer's older epoch comes behind its newer one")
    func epochBroken() {
        var story = Story()
        let old = story.append(10, sequence: sequence(5), .unknown)
        let new = story.append(11, sequence: sequence(0, epoch: 1), .unknown)
        story.log = [11, 10]
        #expect(story.anomalies() == [Anomaly(.sequenceBroken, [old, new], offset: 0)])
    }

    @Test("when an append between two of its producer is missing")
    func sequenceGap() {
        var story = Story()
        story.append(10, sequence: sequence(0), .unknown)
        let missing = story.append(11, sequence: sequence(1), .unknown)
        let next = story.append(12, sequence: sequence(2), .unknown)
        story.log = [10, 12]
        #expect(story.anomalies() == [Anomaly(.sequenceGap, [next, missing])])
    }

    @Test("and told with its operations in full")
    func explanation() {
        var story = Story()
        story.append(10, at: 0)
        story.log = []
        #expect(
            story.anomalies().map(story.history.explain) == [
                """
                lost write at offset 0 of value 10: operations #0
                  #0 0-1 client 1 appends 10..<11: acknowledged(0, 1)
                """
            ])
    }
}
