// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CommitLog
internal import Disk
internal import Records
internal import SimulatedDisk

/// The steps of a history.
extension LogHistory {
    mutating func takeStep() throws(Violation) {
        now += Int64(draw(0...200))
        if disk.isStopped || isOver || chance(settings.crashRate) {
            try endLife()
        } else {
            switch draw(0...129) {
            case 0..<40: try append()
            case 40..<52: try beginSync()
            case 52..<64: runSync()
            case 64..<76: try endSync()
            case 76..<80: try syncNow()
            case 80..<83: try markIdle()
            case 83..<86: try roll()
            case 86..<89: try retain()
            case 89..<92: try deleteRecords()
            case 92..<95: remove()
            case 95..<97: changeFaults()
            case 97..<99: try configure()
            case 99..<124: try produce()
            case 124..<127: try rebuildIndex()
            default: armStop()
            }
        }
        try checkStep()
        answerProducers()
    }

    /// Whether a failure is one that may be, and what it means for this life of the log.
    mutating func judge(_ failure: LogError, of log: Log) throws(Violation) {
        switch failure {
        case .diskFull(let error):
            guard disk.faults.capacity < 1 << 44 else {
                throw Violation("disk full on a disk that is not: \(error)")
            }
        case .failed(let error), .file(let error):
            guard disk.isStopped || disk.faults != FaultPlan() || log.failure != nil else {
                throw Violation("failed on a sound disk: \(error)")
            }
            isOver = log.failure != nil || disk.isStopped
        default: throw Violation("refused for no reason: \(failure)")
        }
    }

    // MARK: Syncing

    private mutating func beginSync() throws(Violation) {
        guard let log, ticket == nil else { return }
        do throws(LogError) {
            ticket = try log.beginSync()
            ticketEnd = log.nextOffset.rawValue
            ticketStart = log.logStartOffset.rawValue
            note("begin sync up to \(ticketEnd): \(ticket.map { "\($0.fileCount)" } ?? "no") files")
        } catch {
            note("begin sync: \(error)")
            try judge(error, of: log)
        }
    }

    private mutating func runSync() {
        guard let ticket, ticketResult == nil else { return }
        noteFullDisk()
        if chance(15) { syncFileSystem() }
        let result = ticket.run()
        note("run sync: \(result)")
        ticketResult = result
    }

    /// A disk without room takes checkpoints and no snapshots of producers; what retention removes
    /// then may take them out of mind.
    mutating func noteFullDisk() {
        if disk.faults.capacity < 1 << 44 { mayForgetProducers = true }
    }

    mutating func endSync() throws(Violation) {
        guard let log, let ticket, let result = ticketResult else { return }
        log.endSync(ticket, result)
        self.ticket = nil
        ticketResult = nil
        noteSync(result, log)
        note("end sync up to \(ticketEnd): high watermark \(log.highWatermark.rawValue)")
        try removeLater()
    }

    /// What a sync that was ended means for the model.
    private mutating func noteSync(_ result: Result<Void, FileError>, _ log: Log) {
        switch result {
        case .success where log.failure == nil:
            count(\.syncs)
            model.promised = max(model.promised, ticketEnd)
            model.durableStart = max(model.durableStart, ticketStart)
        case .success: isOver = true
        case .failure:
            count(\.syncFailures)
            isOver = true
        }
    }

    private mutating func syncNow() throws(Violation) {
        guard let log, ticket == nil else { return }
        let end = log.nextOffset.rawValue
        let start = log.logStartOffset.rawValue
        noteFullDisk()
        switch answer({ () throws(LogError) in try log.sync() }) {
        case .success:
            note("sync up to \(end)")
            count(\.syncs)
            model.promised = max(model.promised, end)
            model.durableStart = start
            try removeLater()
        case .failure(let error):
            note("sync: \(error)")
            count(\.syncFailures)
            try judge(error, of: log)
        }
    }

    private mutating func markIdle() throws(Violation) {
        guard let log else { return }
        do throws(LogError) {
            try log.markIdle()
            note("mark idle")
        } catch {
            note("mark idle: \(error)")
            try judge(error, of: log)
        }
    }

    // MARK: Rolling and forgetting

    private mutating func roll() throws(Violation) {
        guard let log else { return }
        if chance(30) { now += settings.log.segmentAgeMax % 100_000 }
        do throws(LogError) {
            try log.rollIfOld(now: Timestamp(milliseconds: now))
            note("roll if old")
            count(\.rolls)
        } catch {
            note("roll: \(error)")
            try judge(error, of: log)
        }
    }

    private mutating func retain() throws(Violation) {
        guard let log else { return }
        let before = log.logStartOffset.rawValue
        log.applyRetention(now: Timestamp(milliseconds: now))
        let after = log.logStartOffset.rawValue
        note("retain: log start from \(before) to \(after)")
        guard after >= before else { throw Violation("retention moved the log start back") }
        for batch in model.batches[model.number(of: before)...] where batch.end <= after {
            guard let age = settings.log.retentionAge, batch.newest < now - age else {
                if settings.log.retentionSize != nil { break }
                throw Violation("retention took the batch at \(batch.base), which is not old")
            }
        }
        if let limit = settings.log.retentionSize, after > before, settings.log.retentionAge == nil
        {
            guard log.size >= limit else {
                throw Violation("retention left \(log.size) bytes of \(limit) to be kept")
            }
        }
        model.start = after
    }

    private mutating func deleteRecords() throws(Violation) {
        guard let log else { return }
        let valid = chance(80)
        let high = Int(log.highWatermark.rawValue)
        let offset = valid ? draw(0...high) : high + draw(1...50)
        let result = answer { () throws(LogError) in
            try log.deleteRecords(before: Offset(Int64(offset)))
        }
        note("delete before \(offset): \(result)")
        count(\.deletions)
        switch result {
        case .success where valid: model.start = max(model.start, Int64(offset))
        case .success: throw Violation("deleted beyond the high watermark")
        case .failure(.offsetOutOfRange) where !valid: break
        case .failure(let error): try judge(error, of: log)
        }
    }

    /// Takes a removal that has become possible; its files go at a later step.
    private mutating func removeLater() throws(Violation) {
        guard let log, removal == nil else { return }
        removal = log.takeRemoval()
    }

    private mutating func remove() {
        guard let removal else { return }
        self.removal = nil
        let result = removal.run()
        note("remove \(removal.segmentCount) segments: \(result)")
        count(\.removals)
    }

    /// Gives the log other settings, the commit rule among them.
    private mutating func configure() throws(Violation) {
        // The owner of a log changes its settings between two syncs.
        guard let log, ticket == nil, !isOver else { return }
        let next = HistorySettings(&generator, sabotage).log
        noteFullDisk()
        let (end, start) = (log.nextOffset.rawValue, log.logStartOffset.rawValue)
        switch answer({ () throws(LogError) in try log.configure(next) }) {
        case .success:
            note("configure: \(next)")
            count(\.configurations)
            if settings.log.commitRule == .whenWritten, next.commitRule == .whenSynced {
                model.promised = end
                model.durableStart = start
            }
            settings.log = next
        case .failure(let error):
            note("configure: \(error)")
            try judge(error, of: log)
        }
    }

    // MARK: Faults

    private mutating func changeFaults() {
        guard settings.faultRate > 0, disk.faults == FaultPlan() else {
            disk.faults = FaultPlan()
            note("a sound disk")
            return
        }
        var plan = FaultPlan()
        plan.failedSyncDropsWrites = chance(70)
        switch draw(0...5) {
        case 0: plan.write = .onCall(draw(1...6))
        case 1: plan.sync = .onCall(draw(1...3))
        case 2: plan.names = .onCall(draw(1...3))
        case 3: plan.read = .oneIn(5)
        default: plan.capacity = disk.usedSpace + UInt64(draw(0...3000))
        }
        disk.faults = plan
        note("a faulty disk: \(plan)")
    }

    private mutating func armStop() {
        let calls = draw(1...12)
        disk.crashAfter(calls: calls)
        note("the machine stops at the \(calls). change")
    }
}
