// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import Disk
internal import Records
internal import SimulatedDisk

/// How a life of the log ends, and how the next one begins.
extension LogHistory {
    enum End {
        case powerCut
        case processEnd
    }

    mutating func endLife() throws(Violation) {
        if !disk.isStopped, !isOver, chance(30) { return try stopCleanly() }
        if disk.isStopped { count(\.stopsInCall) }
        try crash(chance(50) ? .powerCut : .processEnd)
    }

    private mutating func stopCleanly() throws(Violation) {
        guard let log else { return }
        if ticket != nil {
            if ticketResult == nil { ticketResult = ticket?.run() }
            try endSync()
            guard !isOver, !disk.isStopped else { return try crash(.processEnd) }
        }
        let end = log.nextOffset.rawValue
        noteFullDisk()
        do throws(LogError) {
            try log.close()
            note("close at \(end)")
            count(\.cleanStops)
            model.promised = end
            model.durableStart = model.start
        } catch {
            note("close: \(error)")
            try judge(error, of: log)
        }
        try crash(chance(50) ? .powerCut : .processEnd)
    }

    mutating func crash(_ end: End) throws(Violation) {
        note("\(end)")
        count(end == .powerCut ? \.powerCuts : \.processEnds)
        log = nil
        ticket = nil
        ticketResult = nil
        removal = nil
        snapshots = []
        isOver = false
        switch end {
        case .powerCut: disk.crash()
        case .processEnd: disk.crashKeepingCache()
        }
        harmProducers()
        try reopen(after: end)
    }

    /// Opens the log until that succeeds, the first times perhaps on a failing disk.
    mutating func reopen(after end: End) throws(Violation) {
        var end = end
        for attempt in 0..<4 {
            let isSound = attempt == 3 || !chance(25)
            if isSound {
                disk.faults = FaultPlan()
                disk.crashAfter(calls: nil)
            } else {
                disk.crashAfter(calls: draw(1...8))
            }
            let opened: Log
            do throws(LogError) {
                opened = try makeLog()
                if sabotage == .forgetsProducers { try opened.configure(settings.log) }
            } catch {
                note("open: \(error)")
                count(\.failedOpens)
                guard disk.isStopped || disk.faults != FaultPlan() else {
                    throw Violation("the log cannot be opened on a sound disk: \(error)")
                }
                guard disk.isStopped else { continue }
                let isPowerCut = chance(50)
                if isPowerCut { disk.crash() } else { disk.crashKeepingCache() }
                harmProducers()
                if isPowerCut { end = .powerCut }
                continue
            }
            disk.crashAfter(calls: nil)
            disk.faults = FaultPlan()
            try adopt(opened, after: end)
            return
        }
        throw Violation("the log was not opened in four attempts")
    }

    /// Checks what recovery made of the disk against what it must have kept.
    private mutating func adopt(_ log: Log, after end: End) throws(Violation) {
        let report = log.recovery
        let next = log.nextOffset.rawValue
        note(
            "open after \(end): \(log.logStartOffset.rawValue)..<\(next), term \(log.term.rawValue)"
                + (report.cutBytes > 0 ? ", cut \(report.cutBytes) bytes" : "")
                + (report.wasClean ? ", clean" : ""))
        if report.cutBytes > 0 { count(\.tornTails) }
        guard report.damages.isEmpty, !log.isReadOnly else {
            throw Violation("damage on a disk without any: \(report.damages)")
        }
        guard report.strayNames.isEmpty else {
            throw Violation("strays among its own files: \(report.strayNames)")
        }
        let must = end == .powerCut ? model.promised : max(model.promised, model.shown)
        guard next >= must else {
            throw Violation("ends at \(next), but had acknowledged up to \(must)")
        }
        guard log.highWatermark.rawValue == next else {
            throw Violation("shows \(log.highWatermark.rawValue) of \(next) after recovery")
        }
        let start = log.logStartOffset.rawValue
        guard start >= model.durableStart, start <= max(model.start, model.durableStart) else {
            throw Violation(
                "begins at \(start), but must at \(model.durableStart)...\(model.start)")
        }
        guard log.term.rawValue > model.term else {
            throw Violation("term \(log.term.rawValue) after term \(model.term)")
        }
        self.log = log
        let recovered = try readRecovered(log, must: must)
        let isSynced = settings.log.commitRule == .whenSynced
        // A relaxed log may have read its start from a checkpoint that is in the page cache only.
        if isSynced { model.durableStart = start }
        try adoptProducers(recovered, end: next)
        model.recover(recovered, start: start, end: next, isSynced: isSynced)
        model.shown = next
        if isSynced { model.promised = next }
        log.checkInvariants()
    }

    /// Reads all of a recovered log, and finds each batch among those that were appended.
    private mutating func readRecovered(
        _ log: Log, must: Int64
    ) throws(Violation) -> [ModelBatch] {
        var recovered: [ModelBatch] = []
        var offset = log.logStartOffset
        let snapshot = log.snapshot
        while offset < log.highWatermark {
            let batches = try read(snapshot, offset, bytesMax: 1 << 20)
            for bytes in batches {
                let base = bytes.withUnsafeBytes { BatchHeader(reading: $0).baseOffset.rawValue }
                let number = model.number(of: base)
                if number < model.batches.count, model.batches[number].bytes == bytes {
                    recovered.append(model.batches[number])
                } else if base >= must,
                    let revived = model.doubtful.last(where: { $0.bytes == bytes })
                {
                    count(\.revivals)
                    recovered.append(revived)
                } else {
                    throw Violation("after recovery, other bytes at \(base) than were appended")
                }
            }
            guard let last = recovered.last, last.end > offset.rawValue else {
                throw Violation("nothing can be read at \(offset.rawValue) after recovery")
            }
            offset = Offset(last.end)
        }
        for (before, after) in zip(recovered, recovered.dropFirst()) {
            guard before.end == after.base else {
                throw Violation("a gap behind \(before.base) after recovery")
            }
        }
        return recovered
    }
}
