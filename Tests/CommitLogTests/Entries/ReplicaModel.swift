// SPDX-License-Identifier: Apache-2.0

import Bytes
import Disk
import Records
import SimulatedDisk
import Testing

@testable import CommitLog

/// A replica's log beside a list of entries that must be the same, driven by a seed.
///
/// Every step does to both what the seed says; what it did is kept as text for the case that they
/// differ.
struct ReplicaModel {
    struct Difference: Error, CustomStringConvertible {
        var description: String

        init(_ description: String) { self.description = description }
    }

    /// A disk call stopped the machine in the midst of a step, as the seed wanted.
    private struct Stopped: Error {}

    private var generator: SplitMix64
    private var settings = LogSettings()
    private let disk: SimulatedFileSystem
    private var log: Log
    /// Entries of the log since it was last reset, also those that retention removed.
    private var entries: [LogEntry] = []
    private var base = LogIndex.zero
    private var baseTerm = Term.zero
    private var baseOffset = Offset.zero
    private var baseConfiguration: [UInt8] = []
    private var term = Term(1)
    private var time: Int64 = 1_000_000
    private var ticket: SyncTicket?
    /// Where the log is being cut.
    private var cut: LogIndex?
    private(set) var trace: [String] = []
    private(set) var steps = 0

    init(seed: UInt64) throws {
        generator = SplitMix64(seed: seed)
        disk = SimulatedFileSystem(seed: seed)
        settings.commitRule = .byCaller
        settings.segmentSizeMax =
            [600, 1500, 4096, 1 << 20].randomElement(using: &generator) ?? 600
        settings.indexInterval = [100, 512, 4096].randomElement(using: &generator) ?? 100
        settings.segmentAgeMax = 100_000
        settings.checkpointInterval =
            [500, 4000, 1 << 26].randomElement(using: &generator) ?? 500
        try disk.createDirectory(LogHarness.directory)
        try disk.syncDirectory("/")
        log = try Self.open(disk, settings, time, seed: generator.next(), hint: .zero)
    }

    private static func open(
        _ disk: SimulatedFileSystem, _ settings: LogSettings, _ time: Int64, seed: UInt64,
        hint: LogIndex
    ) throws -> Log {
        try Log(
            directory: LogHarness.directory, group: LogHarness.group, on: disk, settings: settings,
            now: Timestamp(milliseconds: time), seed: seed, committedHint: hint)
    }

    private var now: Timestamp { Timestamp(milliseconds: time) }
    private var lastIndex: LogIndex { base.advanced(by: entries.count) }
    private var nextOffset: Offset { entries.last?.endOffset ?? baseOffset }

    private mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &generator) < percent
    }

    private mutating func pick(_ range: ClosedRange<UInt64>) -> LogIndex {
        LogIndex(UInt64.random(in: range, using: &generator))
    }

    // MARK: Steps

    mutating func run(steps count: Int) throws {
        for _ in 0..<count {
            steps += 1
            do {
                try step()
            } catch let error as LogError {
                guard disk.isStopped else { throw error }
                try crash(keepingCache: false)
            }
            try compare()
        }
    }

    private mutating func step() throws {
        time += Int64.random(in: 0...40, using: &generator)
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<30: try appendBatches()
        case 30..<36: try appendControl()
        case 36..<50: try appendReplicated()
        case 50..<58: try truncate()
        case 58..<70: commit()
        case 70..<80: try sync()
        case 80..<84: try roll()
        case 84..<88: try retain()
        case 88..<90: try reset()
        case 90..<93: try markIdle()
        case 93..<95: try crash(keepingCache: true)
        case 95..<98: try crash(keepingCache: false)
        default: try close()
        }
    }

    private mutating func note(_ text: String) {
        trace.append(text)
        if trace.count > 60 { trace.removeFirst() }
    }

    /// Lets a step be cut off by a power cut in the midst of it, now and then.
    private mutating func mayStop() {
        guard chance(6) else { return }
        let calls = Int.random(in: 1...14, using: &generator)
        note("  stops at call \(calls)")
        disk.crashAfter(calls: calls)
    }

    private mutating func leadMaybe() {
        if chance(15) { nextTerm() }
        log.beginTerm(term)
    }

    /// Index and term name one entry for ever, so what comes in the place of others has another term.
    private mutating func nextTerm() {
        term = Term(term.rawValue + 1)
    }

    private mutating func appendBatches() throws {
        leadMaybe()
        mayStop()
        var batches: [BatchBuffer] = []
        for _ in 0...Int.random(in: 0...2, using: &generator) {
            let count = Int.random(in: 1...4, using: &generator)
            let number = Int.random(in: 0..<1_000_000, using: &generator)
            batches.append(
                LogHarness.batch(
                    number, count: count, size: Int.random(in: 20...300, using: &generator)))
        }
        if chance(50) {
            let (sequence, last) = producerState()
            if let last, chance(40) {
                // The same once more: the log must know it.
                let again = ProducerHarness.batch(
                    sequence: last.sequence, count: last.count, size: 3)
                let outcome = log.append([again], now: now).outcomes.first
                guard outcome == .duplicate(last.offset) else {
                    if disk.isStopped { throw LogError.closed }
                    throw Difference("batch at \(last.offset) sent again: \(outcome as Any)")
                }
            }
            let count = Int.random(in: 1...3, using: &generator)
            batches.append(ProducerHarness.batch(sequence: sequence, count: count, size: 3))
        }
        note("append \(batches.count) batches of term \(term) behind \(lastIndex)")
        let result = log.append(batches, now: now)
        for outcome in result.outcomes {
            guard case .appended = outcome else { throw Difference("\(outcome)") }
        }
        for batch in batches.prefix(result.failure == nil ? batches.count : 0) {
            entries.append(LogEntry(appended: batch))
        }
        if let failure = result.failure {
            // Written or not, they may be found after the crash.
            for (number, batch) in batches.enumerated() where number >= 0 {
                BatchHeader.stamp(
                    batch.mutableBytes, baseOffset: nextOffset, leaderEpoch: Int32(term.rawValue))
                entries.append(LogEntry(appended: batch))
            }
            throw failure
        }
    }

    /// The producer's next sequence number, and its last batch if the log must know it.
    private func producerState() -> (
        next: Int32, last: (sequence: Int32, count: Int, offset: Offset)?
    ) {
        for (number, entry) in entries.enumerated().reversed() where entry.kind == .batch {
            let header = entry.payload.withBytes { BatchHeader(reading: $0) }
            guard header.producerID >= 0 else { continue }
            let isThere = base.advanced(by: number + 1) >= log.firstIndex
            return (
                header.baseSequence + header.recordCount,
                isThere
                    ? (header.baseSequence, Int(header.recordCount), header.baseOffset) : nil
            )
        }
        return (0, nil)
    }

    private mutating func appendControl() throws {
        leadMaybe()
        mayStop()
        let kind: FrameHeader.Kind = chance(50) ? .noOp : .configuration
        let payload = [UInt8](repeating: UInt8.random(in: 0...255, using: &generator), count: 9)
        entries.append(LogEntry(kind, term: term, baseOffset: nextOffset, payload: payload))
        note("append \(kind) of term \(term) at \(lastIndex)")
        let index = try log.appendControl(kind, payload: payload, now: now)
        guard index == lastIndex else { throw Difference("\(kind) at \(index)") }
    }

    private mutating func appendReplicated() throws {
        mayStop()
        var row: [LogEntry] = []
        var offset = nextOffset
        if chance(20) { nextTerm() }
        for _ in 0...Int.random(in: 0...6, using: &generator) {
            if chance(5) { nextTerm() }
            if chance(20) {
                row.append(LogEntry(.noOp, term: term, baseOffset: offset))
                continue
            }
            let entry = ReplicaHarness.entry(
                Int.random(in: 0..<1_000_000, using: &generator), term: term.rawValue,
                at: offset.rawValue, count: Int.random(in: 1...3, using: &generator),
                size: Int.random(in: 20...200, using: &generator))
            row.append(entry)
            offset = entry.endOffset
        }
        entries += row
        note("append \(row.count) entries up to \(lastIndex)")
        try log.append(replicated: row[...], now: now)
    }

    private mutating func truncate() throws {
        mayStop()
        let low = max(log.commitIndex, log.firstIndex.previous)
        let index = pick(low.rawValue...log.lastIndex.rawValue)
        note("truncate after \(index), of \(lastIndex)")
        cut = index
        try log.truncate(after: index)
        cut = nil
        // A crash on the way leaves any of them.
        entries.removeLast(lastIndex.distance(from: index))
        nextTerm()
        guard log.syncedIndex == min(index, log.syncedIndex) else { throw Difference("synced") }
    }

    private mutating func commit() {
        let index = pick(0...log.lastIndex.rawValue)
        note("commit \(index)")
        log.commit(upTo: index)
    }

    private mutating func sync() throws {
        if let ticket {
            note("end sync")
            mayStop()
            let result = ticket.run()
            log.endSync(ticket, result)
            self.ticket = nil
            if let failure = log.failure { throw LogError.failed(failure) }
            if disk.isStopped { throw LogError.closed }
        } else if chance(50) {
            note("sync of \(lastIndex)")
            mayStop()
            try log.sync()
        } else {
            note("begin sync of \(lastIndex)")
            ticket = try log.beginSync()
        }
    }

    private mutating func roll() throws {
        note("roll")
        time += settings.segmentAgeMax
        mayStop()
        try log.rollIfOld(now: now)
    }

    private mutating func retain() throws {
        let low = log.logStartOffset.rawValue
        let offset = Offset(Int64.random(in: low...log.highWatermark.rawValue, using: &generator))
        note("delete before \(offset)")
        try log.deleteRecords(before: offset)
        if chance(60), ticket == nil {
            mayStop()
            try log.sync()
            if let removal = log.takeRemoval() {
                if case .failure(let error) = removal.run() { throw LogError.failed(error) }
            }
        }
    }

    private mutating func reset() throws {
        let index = log.commitIndex.advanced(by: Int.random(in: 0...80, using: &generator))
        let offset = log.highWatermark.advanced(by: Int.random(in: 0...90, using: &generator))
        let configuration: [UInt8] = chance(50) ? [1, 2, 3] : []
        nextTerm()
        note("reset after \(index), offset \(offset), term \(term)")
        mayStop()
        let before = self
        base = index
        baseTerm = term
        baseOffset = offset
        baseConfiguration = configuration
        entries = []
        do {
            try log.reset(
                after: index, term: term, offset: offset, configuration: configuration, now: now)
        } catch {
            guard disk.isStopped else { throw error }
            // The old log or the new one: whichever it is, is the model.
            let after = self
            disk.crash()
            let found = try Self.open(disk, settings, time, seed: generator.next(), hint: .zero)
            let isNew = found.firstIndex == index.next && found.startTerm == term
            let generator = self.generator
            self = isNew ? after : before
            self.generator = generator
            term = after.term
            ticket = nil
            log = found
            note("  stopped: the \(isNew ? "new" : "old") one")
            try adopt(minimum: isNew ? .zero : min(before.log.syncedIndex, before.lastIndex))
        }
    }

    private mutating func markIdle() throws {
        note("mark")
        mayStop()
        try log.markIdle()
    }

    private mutating func close() throws {
        guard ticket == nil else { return }
        note("close")
        mayStop()
        try log.close()
        disk.crashAfter(calls: nil)
        log = try Self.open(
            disk, settings, time, seed: generator.next(), hint: pick(0...lastIndex.rawValue))
        guard log.recovery.damages.isEmpty, log.lastIndex == lastIndex else {
            throw Difference("after a clean stop: \(log.recovery), \(log.lastIndex)")
        }
    }

    private mutating func crash(keepingCache: Bool) throws {
        let synced = min(log.syncedIndex, cut ?? lastIndex)
        cut = nil
        let written = log.lastIndex
        let isStopped = disk.isStopped
        note("crash, \(keepingCache ? "cache kept" : "power cut"); synced \(synced)")
        if keepingCache { disk.crashKeepingCache() } else { disk.crash() }
        if let ticket, keepingCache, chance(30) { _ = ticket }
        ticket = nil
        if chance(20) {
            // The next start is cut off, too.
            disk.crashAfter(calls: Int.random(in: 1...8, using: &generator))
            if let opened = try? Self.open(
                disk, settings, time, seed: generator.next(), hint: .zero)
            {
                _ = opened.lastIndex
            }
            disk.crash()
            log = try Self.open(disk, settings, time, seed: generator.next(), hint: .zero)
            return try adopt(minimum: synced)
        }
        log = try Self.open(
            disk, settings, time, seed: generator.next(), hint: pick(0...lastIndex.rawValue))
        try adopt(minimum: keepingCache && !isStopped ? written : synced)
    }

    /// Goes on with what a crash has left, if that can be.
    private mutating func adopt(minimum: LogIndex) throws {
        guard log.recovery.damages.isEmpty else {
            throw Difference("damage: \(log.recovery.damages)")
        }
        guard log.lastIndex <= lastIndex else {
            throw Difference("has \(log.lastIndex) of \(lastIndex)")
        }
        guard log.lastIndex >= minimum else {
            throw Difference("lost \(log.lastIndex.next) to \(minimum)")
        }
        entries.removeLast(lastIndex.distance(from: log.lastIndex))
        nextTerm()
        note("  found \(log.firstIndex) to \(log.lastIndex), term \(log.term)")
    }

    // MARK: Comparison

    private func compare() throws {
        log.checkInvariants()
        guard log.lastIndex == lastIndex, log.nextOffset == nextOffset else {
            throw Difference(
                "ends at \(log.lastIndex), \(log.nextOffset), not \(lastIndex), \(nextOffset)")
        }
        let first = log.firstIndex
        guard first >= base.next else { throw Difference("begins at \(first)") }
        let expected = Array(entries[first.distance(from: base.next)...])
        let reader = log.entryReader()
        var found: [LogEntry] = []
        var next = first
        while next <= reader.lastIndex {
            let row = try reader.read(
                from: next, through: reader.lastIndex, bytesMax: steps % 3 == 0 ? 1 : 700)
            guard !row.isEmpty else { throw Difference("nothing at \(next)") }
            found += row
            next = next.advanced(by: row.count)
        }
        guard found == expected else {
            let number = zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }
            throw Difference("entry \(first.advanced(by: number?.offset ?? -1)) is another one")
        }
        try compareLineage(first)
        try compareRecords()
    }

    private func compareLineage(_ first: LogIndex) throws {
        var terms: [Lineage.TermStart] = []
        var configurations: [Lineage.ConfigurationEntry] = []
        if baseTerm > .zero {
            terms.append(.init(term: baseTerm, index: base, offset: baseOffset))
            if !baseConfiguration.isEmpty {
                configurations.append(.init(index: base, payload: baseConfiguration))
            }
        }
        for (number, entry) in entries.enumerated() {
            let index = base.advanced(by: number + 1)
            if entry.term > terms.last?.term ?? .zero {
                terms.append(.init(term: entry.term, index: index, offset: entry.baseOffset))
            }
            if entry.kind == .configuration {
                configurations.append(.init(index: index, payload: entry.payload.array))
            }
            guard index < first || log.term(at: index) == entry.term else {
                throw Difference("term of \(index) is \(log.term(at: index) as Any)")
            }
        }
        guard log.lineage.terms == terms else {
            throw Difference("terms \(log.lineage.terms), not \(terms)")
        }
        guard log.lineage.configurations == configurations.suffix(Lineage.configurationsMax) else {
            throw Difference(
                "configurations \(log.lineage.configurations), not \(configurations.suffix(Lineage.configurationsMax))"
            )
        }
    }

    private func compareRecords() throws {
        let snapshot = log.snapshot
        var offset = snapshot.logStartOffset
        while offset < snapshot.highWatermark {
            let batches = try snapshot.read(from: offset, bytesMax: 900, verifying: true).batches
            guard !batches.isEmpty else { throw Difference("no records at \(offset)") }
            var failure: Difference?
            batches.forEachBatch { bytes in
                let header = BatchHeader(reading: bytes)
                let isThere = entries.contains {
                    $0.kind == .batch && $0.baseOffset == header.baseOffset
                        && $0.payloadChecksum == header.checksum
                }
                if !isThere { failure = Difference("records at \(header.baseOffset)") }
            }
            if let failure { throw failure }
            offset = batches.nextOffset
        }
    }
}
