// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import Disk
internal import Records
internal import SimulatedDisk

/// What must hold after every step.
extension LogHistory {
    mutating func checkStep() throws(Violation) {
        guard let log, !disk.isStopped else { return }
        log.checkInvariants()
        guard log.nextOffset.rawValue == model.end else {
            throw Violation("ends at \(log.nextOffset.rawValue), not at \(model.end)")
        }
        guard log.logStartOffset.rawValue == model.start else {
            throw Violation("begins at \(log.logStartOffset.rawValue), not at \(model.start)")
        }
        let shown = log.highWatermark.rawValue
        guard shown >= model.shown else {
            throw Violation("the high watermark fell from \(model.shown) to \(shown)")
        }
        switch settings.log.commitRule {
        case .whenSynced:
            guard shown <= model.promised else {
                throw Violation("shows up to \(shown), but synced only \(model.promised)")
            }
            guard isOver || shown == model.promised || sabotage == .acknowledgesAtWrite else {
                throw Violation("shows up to \(shown), but synced \(model.promised)")
            }
        case .whenWritten:
            guard isOver || shown == model.end else {
                throw Violation("shows up to \(shown), but wrote \(model.end)")
            }
        case .byCaller:
            throw Violation("commits by itself, or not at all")
        }
        let fresh = model.shown
        model.shown = shown
        if fresh < shown { model.term = log.term.rawValue }
        // Reads of a disk that fails them say so; what they say otherwise is checked below.
        guard disk.faults.read == .never else { return }
        let snapshot = log.snapshot
        if fresh < shown { try checkRead(snapshot, from: max(fresh, model.start)) }
        if step % 16 == 0 {
            try checkAll(snapshot)
        } else {
            try checkRead(snapshot, from: Int64(draw(Int(model.start)...Int(shown))))
        }
        try checkTime(snapshot)
        try checkRefusals(snapshot)
        try checkSnapshots(snapshot)
    }

    /// Reads the batches from the one that holds an offset on.
    func read(
        _ snapshot: LogSnapshot, _ offset: Offset, bytesMax: Int
    ) throws(Violation) -> [[UInt8]] {
        let result: LogSnapshot.ReadResult
        do throws(LogError) {
            result = try snapshot.read(from: offset, bytesMax: bytesMax, verifying: true)
        } catch {
            throw Violation("cannot read at \(offset.rawValue): \(error)")
        }
        var batches: [[UInt8]] = []
        result.batches.forEachBatch { batches.append(Array($0)) }
        return batches
    }

    /// Reads at one offset and compares with the model; where the read ended.
    @discardableResult
    private mutating func checkRead(
        _ snapshot: LogSnapshot, from offset: Int64
    ) throws(Violation) -> Int64 {
        count(\.reads)
        let bytesMax = chance(50) ? draw(1...600) : 1 << 20
        let high = snapshot.highWatermark.rawValue
        let batches = try read(snapshot, Offset(offset), bytesMax: bytesMax)
        guard offset < high else {
            guard batches.isEmpty else { throw Violation("read behind the end, at \(offset)") }
            return offset
        }
        var number = model.number(of: offset)
        var size = 0
        for bytes in batches {
            guard number < model.batches.count, model.batches[number].bytes == bytes else {
                throw Violation("other bytes than were appended, in a read at \(offset)")
            }
            guard model.batches[number].end <= high else {
                throw Violation("read the uncommitted batch at \(model.batches[number].base)")
            }
            size += bytes.count
            number += 1
        }
        guard !batches.isEmpty else { throw Violation("nothing can be read at \(offset)") }
        try checkCached(snapshot, from: offset, bytesMax: bytesMax, batches)
        guard batches.count == 1 || size <= bytesMax else {
            throw Violation("read \(size) bytes at \(offset), more than \(bytesMax)")
        }
        return model.batches[number - 1].end
    }

    /// Reads the same without waiting for the disk: the same bytes or none.
    private mutating func checkCached(
        _ snapshot: LogSnapshot, from offset: Int64, bytesMax: Int, _ expected: [[UInt8]]
    ) throws(Violation) {
        let result = answer { () throws(LogError) in
            try snapshot.readCached(from: Offset(offset), bytesMax: bytesMax, verifying: true)
        }
        switch result {
        case .success(nil): break
        case .success(let fetched?):
            count(\.cachedReads)
            var batches: [[UInt8]] = []
            fetched.forEachBatch { batches.append(Array($0)) }
            guard batches == expected else {
                throw Violation("a cached read at \(offset) gives other bytes")
            }
        case .failure(let error): throw Violation("no cached read at \(offset): \(error)")
        }
    }

    mutating func checkAll(_ snapshot: LogSnapshot) throws(Violation) {
        var offset = snapshot.logStartOffset.rawValue
        while offset < snapshot.highWatermark.rawValue {
            offset = try checkRead(snapshot, from: offset)
        }
    }

    private mutating func checkTime(_ snapshot: LogSnapshot) throws(Violation) {
        count(\.timeReads)
        let time = chance(10) ? Int64(draw(-2...0)) : now - Int64(draw(-400...8000))
        let expected = model.first(atOrAfter: time)
        let found = answer { () throws(LogError) in
            try snapshot.firstRecord(
                atOrAfter: Timestamp(milliseconds: time), inflatedSizeMax: 1 << 20)
        }
        switch found {
        case .success(let found):
            guard found?.offset.rawValue == expected?.offset,
                found?.timestamp.rawValue == expected?.time
            else {
                throw Violation(
                    "the first record since \(time) is \(String(describing: expected)), "
                        + "not \(String(describing: found))")
            }
        case .failure(let error): throw Violation("cannot look for time \(time): \(error)")
        }
    }

    private func checkRefusals(_ snapshot: LogSnapshot) throws(Violation) {
        for offset in [model.start - 1, model.shown + 1] {
            do throws(LogError) {
                _ = try snapshot.read(from: Offset(offset), bytesMax: 1, verifying: true)
            } catch {
                if case .offsetOutOfRange = error { continue }
                throw Violation("a read at \(offset) is refused for the wrong reason: \(error)")
            }
            throw Violation("a read at \(offset) outside of the log is not refused")
        }
    }

    /// Keeps some snapshots, and reads from old ones, whose files may be gone by now.
    private mutating func checkSnapshots(_ snapshot: LogSnapshot) throws(Violation) {
        if let old = snapshots.first {
            let low = old.logStartOffset.rawValue
            let high = old.highWatermark.rawValue
            // The model keeps what the disk may still have; the rest cannot be compared.
            let known = max(low, model.batches.first?.base ?? high)
            if known < high { try checkRead(old, from: Int64(draw(Int(known)...Int(high)))) }
        }
        if chance(10) { snapshots.append(snapshot) }
        if snapshots.count > 3 || (!snapshots.isEmpty && chance(5)) { snapshots.removeFirst() }
    }
}
