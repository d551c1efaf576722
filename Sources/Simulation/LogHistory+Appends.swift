// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CommitLog
internal import Disk
internal import Records
internal import SimulatedDisk

/// Appending, as plain and as idempotent producers do it.
extension LogHistory {
    /// A batch on its way to the log.
    private struct Outgoing {
        var buffer: BatchBuffer
        var timestamps: [Int64]
        /// The idempotent producer that sends it, and which of its batches it is.
        var source: (producer: Int, number: Int)?
    }

    private mutating func makeBatch() -> Outgoing {
        var builder = BatchBuilder()
        var timestamps: [Int64] = []
        for _ in 0..<draw(1...settings.recordsMax) {
            recordCount += 1
            // Clocks of producers differ, and now and then one has no time at all.
            let time = chance(3) ? -1 : now + Int64(draw(-300...300))
            var value = Array("\(seed):\(recordCount):".utf8)
            let letter = UInt8(truncatingIfNeeded: recordCount)
            value += repeatElement(letter, count: draw(0...settings.valueSizeMax))
            builder.append(
                key: chance(50) ? nil : [letter], value: chance(5) ? nil : value,
                timestamp: Timestamp(milliseconds: time))
            timestamps.append(time)
        }
        return Outgoing(buffer: builder.finish(), timestamps: timestamps)
    }

    mutating func append() throws(Violation) {
        try send((0..<draw(1...settings.batchesMax)).map { _ in makeBatch() })
    }

    /// Has idempotent producers send what they have under way: again, out of order, all at once.
    mutating func produce() throws(Violation) {
        guard !producers.isEmpty else { return try append() }
        var outgoing: [Outgoing] = []
        for producer in producers.indices where chance(60) {
            outgoing += choose(producer).map { number in
                let batch = producers[producer].made[number]
                return Outgoing(
                    buffer: BatchBuffer(copying: batch.bytes), timestamps: batch.timestamps,
                    source: (producer, number))
            }
        }
        if chance(30) { outgoing.insert(makeBatch(), at: draw(0...outgoing.count)) }
        guard !outgoing.isEmpty else { return }
        try send(outgoing)
    }

    /// The numbers of the batches that a producer sends now.
    private mutating func choose(_ producer: Int) -> [Int] {
        if producers[producer].isStuck || chance(3) {
            producers[producer].beginEpoch()
            note("producer \(producer) begins epoch \(producers[producer].epoch)")
            count(\.epochs)
        }
        while producers[producer].hasRoom, chance(60) {
            let made = makeBatch()
            producers[producer].add(made.buffer, timestamps: made.timestamps)
        }
        let known = producers[producer]
        // Where the log may know nothing, any number would do; a client sends the first one first.
        guard !known.isUnsure else { return Array(known.underWay.prefix(1)) }
        var numbers = known.underWay
        switch draw(0...5) {
        case 0: numbers.shuffle(using: &generator)
        case 1: numbers = numbers.filter { _ in chance(60) }
        case 2: numbers += numbers
        default: break
        }
        // What the network kept back for a while.
        if !known.made.isEmpty, chance(25) {
            let oldest = max(0, known.made.count - (chance(80) ? 8 : 40))
            let late = draw(oldest...(known.made.count - 1))
            if known.made[late].mayBeThere || known.underWay.contains(late) {
                numbers.insert(late, at: draw(0...numbers.count))
            }
        }
        return numbers
    }

    // MARK: Sending

    private mutating func send(_ outgoing: [Outgoing]) throws(Violation) {
        guard let log else { return }
        let expected = model.end
        let result = log.append(outgoing.map(\.buffer), now: Timestamp(milliseconds: now))
        note(
            "append \(outgoing.count) batches at \(expected): \(result.outcomes.count) settled, "
                + (result.failure.map { "\($0)" } ?? "no failure"))
        count(\.appends)
        for (batch, outcome) in zip(outgoing, result.outcomes) { try take(outcome, of: batch) }
        if sabotage == .acknowledgesAtWrite { model.promised = model.end }
        doubt(outgoing.dropFirst(result.outcomes.count), after: result.failure)
        guard let failure = result.failure else {
            guard result.outcomes.count == outgoing.count else {
                throw Violation("\(result.outcomes.count) of \(outgoing.count) settled, no failure")
            }
            return
        }
        count(\.appendFailures)
        try judge(failure, of: log)
    }

    /// Compares what became of a batch with what must.
    private mutating func take(
        _ outcome: Log.AppendOutcome, of batch: Outgoing
    ) throws(Violation) {
        let end = model.end
        let expected =
            batch.source.map { producers[$0.producer].expected($0.number, at: end) }
            ?? .appended(Offset(end))
        if let source = batch.source {
            note("producer \(source.producer), batch \(source.number): \(outcome)")
        }
        guard outcome == expected else {
            throw Violation("\(outcome), where it must be \(expected)")
        }
        switch outcome {
        case .appended:
            guard BatchHeader(reading: batch.buffer.bytes).baseOffset.rawValue == end else {
                throw Violation("a batch was not stamped with its offset \(end)")
            }
            model.append(
                ModelBatch(
                    base: end, bytes: Array(batch.buffer.bytes), timestamps: batch.timestamps))
            guard let source = batch.source else { return }
            count(\.produced)
            producers[source.producer].noteLogged(source.number, at: end)
            producers[source.producer].noteAnswer(source.number, at: end)
        case .duplicate(let base):
            guard let source = batch.source else { return }
            count(\.duplicates)
            producers[source.producer].noteAnswer(source.number, at: base.rawValue)
            if sabotage == .acknowledgesDuplicatesAtOnce,
                producers[source.producer].underWay.contains(source.number)
            {
                producers[source.producer].acknowledge(
                    source.number, isPromised: settings.log.commitRule == .whenSynced)
            }
        case .refused: count(\.refusals)
        }
    }

    /// Takes note of batches of which nobody said what became of them.
    private mutating func doubt(_ rest: ArraySlice<Outgoing>, after failure: LogError?) {
        // Those of a full disk are gone for good: their producer tries again.
        if case .diskFull? = failure { return }
        for batch in rest {
            if let source = batch.source { producers[source.producer].noteDoubt(source.number) }
            // One that was stamped may have reached the file before the write failed.
            let base = BatchHeader(reading: batch.buffer.bytes).baseOffset.rawValue
            model.doubtful.append(
                ModelBatch(
                    base: base, bytes: Array(batch.buffer.bytes), timestamps: batch.timestamps))
        }
    }

    // MARK: Answers

    /// Tells producers what is committed, but for answers that get lost.
    mutating func answerProducers() {
        guard let log, !isOver else { return }
        let shown = log.highWatermark.rawValue
        for producer in producers.indices {
            for number in producers[producer].underWay {
                let batch = producers[producer].made[number]
                guard let base = batch.answer, base + Int64(batch.count) <= shown else { continue }
                guard chance(80) else { continue }
                count(\.acknowledgements)
                producers[producer].acknowledge(
                    number, isPromised: settings.log.commitRule == .whenSynced)
            }
        }
    }

    /// Checks a recovered log against what producers were told: once, in order, and all of it.
    mutating func adoptProducers(_ recovered: [ModelBatch], end: Int64) throws(Violation) {
        let start = recovered.first?.base ?? end
        let headers = recovered.map { batch in
            batch.bytes.withUnsafeBytes { BatchHeader(reading: $0) }
        }
        for producer in producers.indices {
            let known = producers[producer]
            var found: [(number: Int, base: Int64)] = []
            for header in headers where header.producerID == known.id {
                guard let number = known.number(of: header) else {
                    throw Violation("a batch of producer \(producer) that it did not make")
                }
                guard known.made[number].mayBeThere else {
                    throw Violation("batch \(number) of producer \(producer) was refused")
                }
                if let last = found.last, last.number >= number {
                    throw Violation(
                        "batch \(number) of producer \(producer) behind its batch \(last.number)")
                }
                found.append((number, header.baseOffset.rawValue))
            }
            for (number, batch) in known.made.enumerated() where batch.isPromised {
                guard let base = batch.acknowledged, base >= start else { continue }
                guard found.contains(where: { $0.number == number && $0.base == base }) else {
                    throw Violation(
                        "batch \(number) of producer \(producer), acknowledged at \(base), is gone")
                }
            }
            producers[producer].recover(found, from: start, mayHaveForgotten: mayForgetProducers)
        }
        mayForgetProducers = false
    }

    /// Harms the snapshot of the producers between two lives, as a rotten sector would.
    mutating func harmProducers() {
        let path = Self.directory + "/producers"
        guard let bytes = disk.contents(path), !bytes.isEmpty, chance(8) else { return }
        switch draw(0...2) {
        case 0: disk.flipBit(path, at: draw(0...(bytes.count - 1)), bit: draw(0...7))
        case 1: disk.truncate(path, to: draw(0...(bytes.count - 1)))
        default: disk.truncate(path, to: 0)
        }
        note("the snapshot of the producers is harmed")
        count(\.harmedSnapshots)
        mayForgetProducers = true
    }
}
