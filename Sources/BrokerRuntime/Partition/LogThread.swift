// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import DequeModule
internal import Disk
internal import Faults
internal import Logging
internal import Records

/// The thread that owns all logs of a disk: it writes, it decides what to sync, it keeps house.
///
/// Nothing else calls a ``CommitLog/Log`` between its opening and its end.
struct LogThread {
    /// What the thread is asked to do.
    enum Command: Sendable {
        /// Something waits in a partition's inbox.
        case ready(Partition)
        /// A sync round is over.
        case synced(SyncRound)
        case run(@Sendable (inout LogThread) -> Void)
    }

    /// A log on its way from the thread that opened it to this one.
    ///
    /// `@unchecked Sendable`: the opener drops its reference when it hands this over.
    struct Handover: @unchecked Sendable {
        let log: PartitionLog
    }

    /// After so long without an append a log gets its idle mark.
    static let idleMilliseconds: Int64 = 150

    let host: PartitionHost
    let logger: Logger
    var guardian: DiskGuardian
    let housekeepingMilliseconds: Int64
    private var scrubber: Scrubber

    private var logs: [ObjectIdentifier: PartitionLog] = [:]
    private var dirty: [PartitionLog] = []
    private var recent: [PartitionLog] = []
    private var pace = Pace()
    private var roundIsOut = false
    private var isStopping = false
    /// What waits for the round under way to end.
    private var afterRound: [@Sendable (inout LogThread) -> Void] = []
    private var nextHousekeeping: Int64 = 0
    private var nextDiskCheck: Int64 = 0

    init(
        host: PartitionHost, guardian: DiskGuardian, settings: BrokerSettings, logger: Logger
    ) {
        self.host = host
        self.guardian = guardian
        housekeepingMilliseconds = settings.housekeepingMilliseconds
        scrubber = Scrubber(bytesPerSecond: settings.scrubBytesPerSecond)
        self.logger = logger
    }

    /// Works until ``stop()``.
    mutating func run() {
        while !isStopping || roundIsOut {
            let commands = host.queue.takeAll(waiting: waitMilliseconds())
            if !commands.isEmpty, pace.shouldGather(at: host.clock.monotonic()) {
                host.clock.pause(Pace.gatherMicroseconds)
            }
            for command in commands { carryOut(command) }
            beginRound()
            tick()
        }
        for command in host.queue.takeAll(waiting: 0) { carryOut(command) }
    }

    private mutating func carryOut(_ command: Command) {
        switch command {
        case .ready(let partition): append(partition)
        case .synced(let round): endRound(round)
        case .run(let body): body(&self)
        }
    }

    // MARK: Appending and syncing

    private mutating func append(_ partition: Partition) {
        guard let log = logs[ObjectIdentifier(partition)] else { return }
        let (bytes, _) = log.appendWaiting(now: host.clock.now) { failure in
            // Who is refused finds the broker's state to be the reason.
            if case .diskFull = failure { guardian.noteDiskFull(host: host, logger: logger) }
        }
        pace.note(bytes: bytes, at: host.clock.monotonic())
        report(log)
        log.lastAppend = host.clock.monotonic()
        if !log.isRecent {
            log.isRecent = true
            recent.append(log)
        }
        markDirty(log)
    }

    /// Puts a log on the list for the next round if it wants to be synced.
    private mutating func markDirty(_ log: PartitionLog) {
        guard !log.isDirty, log.wantsSync(at: host.clock.monotonic()) else { return }
        log.isDirty = true
        dirty.append(log)
    }

    /// Syncs all dirty logs, if no round is under way.
    private mutating func beginRound() {
        guard !roundIsOut, !dirty.isEmpty else { return }
        var entries: [SyncRound.Entry] = []
        for log in dirty {
            log.isDirty = false
            do throws(LogError) {
                guard let ticket = try log.log.beginSync() else { continue }
                log.isSyncing = true
                entries.append(
                    SyncRound.Entry(partition: ObjectIdentifier(log.partition), ticket: ticket))
            } catch {
                if case .diskFull = error { guardian.noteDiskFull(host: host, logger: logger) }
                log.publish()
                report(log)
            }
        }
        dirty.removeAll(keepingCapacity: true)
        guard !entries.isEmpty else { return }
        roundIsOut = true
        SyncRound(entries).run(
            on: host.syncers, fileSystem: guardian.fileSystem, directory: guardian.directory,
            thenTelling: host.queue)
    }

    private mutating func endRound(_ round: SyncRound) {
        roundIsOut = false
        let now = host.clock.monotonic()
        for (entry, result) in round.outcomes {
            guard let log = logs[entry.partition] else { continue }
            log.isSyncing = false
            log.lastSync = now
            log.log.endSync(entry.ticket, result)
            log.publish()
            report(log)
            removeFiles(of: log)
            markDirty(log)
        }
        let waiting = afterRound
        afterRound = []
        for body in waiting { body(&self) }
    }

    private func removeFiles(of log: PartitionLog) {
        guard let removal = log.log.takeRemoval() else { return }
        let logger = logger
        let name = log.partition.name
        host.syncers.submit {
            if case .failure(let error) = removal.run() {
                logger.warning(
                    "cannot remove old segments; the next start tries again",
                    metadata: ["partition": "\(name)", "error": "\(error)"])
            }
        }
    }

    private func report(_ log: PartitionLog) {
        guard let failure = log.takeFailure() else { return }
        logger.critical(
            "storage failed; the partition takes no records until the server is restarted",
            metadata: [
                "partition": "\(log.partition.name)", "error": "\(failure)",
                "err_code": "\(ErrorCode.storageFailed.text)",
            ])
    }

    // MARK: What time brings

    private func waitMilliseconds() -> Int {
        let now = host.clock.monotonic()
        var wait = min(nextHousekeeping, nextDiskCheck) - now
        // The end of a round wakes this thread anyway.
        for log in recent where !log.isSyncing && !log.isDirty {
            let idle = max(1, log.lastAppend + Self.idleMilliseconds - now)
            wait = min(wait, log.nextDeadline(at: now) ?? idle)
        }
        return Int(max(0, min(wait, 1000)))
    }

    private mutating func tick() {
        let now = host.clock.monotonic()
        if !recent.isEmpty { tendRecent(at: now) }
        if now >= nextDiskCheck {
            nextDiskCheck = now + 1000
            guardian.check(host: host, logger: logger)
            scrubber.step(over: Array(logs.values), host: host, logger: logger)
        }
        if now >= nextHousekeeping {
            nextHousekeeping = now + housekeepingMilliseconds
            keepHouse()
        }
    }

    /// Syncs what is due by its interval, and marks what has gone idle.
    private mutating func tendRecent(at now: Int64) {
        var stillRecent: [PartitionLog] = []
        for log in recent {
            markDirty(log)
            if now - log.lastAppend < Self.idleMilliseconds || log.isSyncing || log.isDirty
                || log.nextDeadline(at: now) != nil
            {
                stillRecent.append(log)
                continue
            }
            log.isRecent = false
            do throws(LogError) {
                try log.log.markIdle()
            } catch {
                logger.debug(
                    "no idle mark",
                    metadata: [
                        "partition": "\(log.partition.name)", "error": "\(error)",
                    ])
            }
        }
        recent = stillRecent
    }

    private mutating func keepHouse() {
        let now = host.clock.now
        for log in logs.values {
            do throws(LogError) {
                try log.log.rollIfOld(now: now)
                let before = log.log.logStartOffset
                log.log.applyRetention(now: now)
                if log.log.logStartOffset != before { log.publish() }
            } catch {
                logger.warning(
                    "housekeeping failed",
                    metadata: ["partition": "\(log.partition.name)", "error": "\(error)"])
            }
            if log.log.needsBackgroundSync, !log.isDirty {
                log.isDirty = true
                dirty.append(log)
            }
        }
    }
}

// MARK: - What the broker asks for, on this thread

extension LogThread {
    /// Takes over a log.
    mutating func adopt(_ handover: Handover) {
        let log = handover.log
        logs[ObjectIdentifier(log.partition)] = log
        log.publish()
        if log.log.isReadOnly {
            log.partition.refuseAppends(
                Fault(LogError.readOnly(log.log.recovery.damages), of: log.partition.name))
        }
        if log.log.needsBackgroundSync, !log.isDirty {
            log.isDirty = true
            dirty.append(log)
        }
        append(log.partition)
    }

    mutating func deleteRecords(
        of partition: Partition, before offset: Offset?
    ) -> Result<Offset, Fault> {
        guard let log = logs[ObjectIdentifier(partition)] else {
            return .failure(Fault(.partitionNotFound, "\(partition.name) is not here"))
        }
        do throws(LogError) {
            try log.log.deleteRecords(before: offset ?? log.log.highWatermark)
        } catch {
            return .failure(Fault(error, of: partition.name))
        }
        log.publish()
        if !log.isDirty {
            log.isDirty = true
            dirty.append(log)
        }
        return .success(log.log.logStartOffset)
    }

    /// Takes note of how far the scrubber came.
    mutating func endScrub(reachedBy cursor: ScrubCursor?) {
        scrubber.end(reachedBy: cursor)
    }

    mutating func rebuildIndex(of partition: Partition, segment: Offset) {
        guard let log = logs[ObjectIdentifier(partition)] else { return }
        do throws(LogError) {
            try log.log.rebuildIndex(of: segment)
            logger.info(
                "rebuilt an index",
                metadata: ["partition": "\(partition.name)", "segment": "\(segment.rawValue)"])
        } catch {
            logger.warning(
                "cannot rebuild an index",
                metadata: ["partition": "\(partition.name)", "error": "\(error)"])
        }
    }

    /// Changes what a partition is set to.
    mutating func configure(
        _ partition: Partition, _ change: @Sendable (PartitionLog) throws(LogError) -> Void
    ) -> Result<Void, Fault> {
        guard let log = logs[ObjectIdentifier(partition)] else { return .success(()) }
        do throws(LogError) {
            try change(log)
        } catch {
            return .failure(Fault(error, of: partition.name))
        }
        log.publish()
        markDirty(log)
        return .success(())
    }

    /// Runs a call when no log is being synced: now, or after the round under way.
    mutating func betweenRounds(_ body: @escaping @Sendable (inout LogThread) -> Void) {
        if roundIsOut { afterRound.append(body) } else { body(&self) }
    }

    /// Gives a partition up; its files are no longer touched.
    mutating func release(_ partition: Partition, because fault: Fault) {
        guard let log = logs.removeValue(forKey: ObjectIdentifier(partition)) else { return }
        dirty.removeAll { $0 === log }
        recent.removeAll { $0 === log }
        log.abandon(fault)
    }

    /// Writes and syncs what waits, closes all logs and ends the thread.
    mutating func stop(because fault: Fault) -> [Handover] {
        for log in logs.values {
            log.partition.refuseAppends(fault)
            if let failure = log.appendWaiting(now: host.clock.now).failure {
                logger.error(
                    "records were refused while stopping",
                    metadata: ["partition": "\(log.partition.name)", "error": "\(failure)"])
            }
        }
        isStopping = true
        dirty = []
        recent = []
        let handovers = logs.values.map { Handover(log: $0) }
        return handovers
    }
}
