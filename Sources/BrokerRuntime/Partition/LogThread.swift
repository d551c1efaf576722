// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
internal import CommitLog
internal import DequeModule
internal import Disk
internal import Faults
internal import Logging
internal import RaftCore
internal import Records
internal import Replication

/// The thread that owns all replicas of a disk: it writes, it decides what to sync, it keeps house.
///
/// Nothing else calls a ``Replication/Replica`` between its opening and its end. What replicas and
/// their node want done is done in ``turn(_:)``, from which every change goes out.
struct LogThread {
    /// What the thread is asked to do.
    enum Command: Sendable {
        /// Something waits in a partition's inbox.
        case ready(Partition)
        /// A sync round is over.
        case synced(SyncRound)
        /// Another node says something.
        case peer(NodeMessage)
        case run(@Sendable (inout LogThread) -> Void)
    }

    /// A log on its way from the thread that opened it to this one.
    ///
    /// `@unchecked Sendable`: the opener drops its reference when it hands this over.
    struct Handover: @unchecked Sendable {
        let log: PartitionLog
    }

    /// The length of a tick of the replicas' clocks.
    static let tickMilliseconds: Int64 = 50

    /// After so long without an append a log gets its idle mark.
    static let idleMilliseconds: Int64 = 150

    let host: PartitionHost
    let logger: Logger
    var guardian: DiskGuardian
    let housekeepingMilliseconds: Int64
    private var scrubber: Scrubber

    /// The replicas, their votes and their way to other nodes.
    let node: ReplicaNode
    private var logs: [GroupID: PartitionLog] = [:]
    private var nextTick: Int64 = 0
    /// Logs to be published at the end of the turn under way.
    private var changed: [PartitionLog] = []
    private var scheduler = SyncScheduler()
    private var recent: [PartitionLog] = []
    private var pace = Pace()
    private var isStopping = false
    /// What waits for the round under way to end.
    private var afterRound: [@Sendable (inout LogThread) -> Void] = []
    private var nextHousekeeping: Int64 = 0
    private var nextDiskCheck: Int64 = 0

    init(
        host: PartitionHost, node: ReplicaNode, guardian: DiskGuardian, settings: BrokerSettings,
        logger: Logger
    ) {
        self.host = host
        self.node = node
        self.guardian = guardian
        housekeepingMilliseconds = settings.housekeepingMilliseconds
        scrubber = Scrubber(bytesPerSecond: settings.scrubBytesPerSecond)
        self.logger = logger
    }

    /// What the thread takes with it.
    ///
    /// `@unchecked Sendable`: the starter drops its reference when the thread begins.
    private struct Luggage: @unchecked Sendable {
        let node: ReplicaNode
    }

    /// Starts the thread of a disk.
    static func start(
        host: PartitionHost, journal: HardStateJournal, guardian: DiskGuardian,
        settings: BrokerSettings, logger: Logger
    ) -> DedicatedThread {
        // Each start has a later time than the one before, unless somebody turns the clock back; then
        // peers hear nothing of this node until it has caught up with itself.
        let nodeSettings = ReplicaNode.Settings(
            node: host.identity.node, cluster: 0,
            incarnation: UInt64(clamping: host.clock.now.rawValue))
        let luggage = Luggage(node: ReplicaNode(nodeSettings, journal: journal))
        return DedicatedThread {
            var thread = LogThread(
                host: host, node: luggage.node, guardian: guardian, settings: settings,
                logger: logger)
            thread.run()
        }
    }

    /// Works until ``stop()``.
    mutating func run() {
        while !isStopping || scheduler.isBusy {
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
        case .peer(let message):
            let now = host.clock.now
            turn { node, outputs in node.receive(message, now: now, into: &outputs) }
        case .run(let body): body(&self)
        }
    }

    // MARK: What a turn brings

    func log(of group: GroupID) -> PartitionLog? { logs[group] }

    mutating func noteJournalIsDirty() { scheduler.markDirty(.journal) }

    /// Has a log published when the turn ends.
    mutating func noteChanged(_ log: PartitionLog) {
        if changed.last !== log { changed.append(log) }
    }

    /// Takes note that a replica may have written something of its own.
    mutating func noteWritten(_ log: PartitionLog) {
        keepRecent(log)
        markDirty(log)
    }

    mutating func publishChanged() {
        while let log = changed.popLast() {
            log.publish()
            report(log)
            markDirty(log)
        }
    }

    mutating func failJournal(_ error: FileError) {
        for log in sortedLogs { log.failJournal(error) }
    }

    // MARK: Appending and syncing

    private mutating func append(_ partition: Partition) {
        guard let log = logs[partition.group] else { return }
        let now = host.clock.now
        var outputs: [ReplicaNode.Output] = []
        let bytes =
            node.call(partition.group, into: &outputs) { _, wanted in
                log.appendWaiting(now: now, into: &wanted) { failure in
                    // Who is refused finds the broker's state to be the reason.
                    if case .diskFull = failure { noteDiskFull() }
                }.bytes
            } ?? 0
        endTurn(&outputs)
        pace.note(bytes: bytes, at: host.clock.monotonic())
        report(log)
        log.lastAppend = host.clock.monotonic()
        keepRecent(log)
        markDirty(log)
    }

    private mutating func noteDiskFull() {
        guardian.noteDiskFull(host: host, logger: logger)
    }

    private mutating func keepRecent(_ log: PartitionLog) {
        guard !log.isRecent else { return }
        log.isRecent = true
        recent.append(log)
    }

    /// Puts a log on the list for the next round if it wants to be synced.
    private mutating func markDirty(_ log: PartitionLog) {
        if log.wantsSync(at: host.clock.monotonic()) { schedule(log) }
    }

    private mutating func schedule(_ log: PartitionLog) {
        guard !log.isDirty else { return }
        log.isDirty = true
        scheduler.markDirty(.log(log.partition.group))
    }

    /// Syncs all that is dirty, if no round is under way.
    private mutating func beginRound() {
        guard let round = scheduler.beginRound() else { return }
        var entries: [SyncRound.Entry] = []
        for target in round.targets {
            if let entry = entry(for: target) {
                entries.append(entry)
            } else {
                scheduler.end(target)
            }
        }
        guard !entries.isEmpty else { return }
        SyncRound(entries).run(
            on: host.syncers, fileSystem: guardian.fileSystem, directory: guardian.directory,
            isWide: round.isWide, thenTelling: host.queue)
    }

    /// What to sync of a target; `nil` if that turns out to be nothing.
    private mutating func entry(for target: SyncScheduler.Target) -> SyncRound.Entry? {
        switch target {
        case .journal: return node.beginSync().map { .journal($0) }
        case .log(let group):
            guard let log = logs[group] else { return nil }
            log.isDirty = false
            do throws(LogError) {
                guard let ticket = try log.replica.beginSync() else { return nil }
                log.isSyncing = true
                return .log(group, ticket)
            } catch {
                if case .diskFull = error { noteDiskFull() }
                log.publish()
                report(log)
                return nil
            }
        }
    }

    private mutating func endRound(_ round: SyncRound) {
        let milliseconds = host.clock.monotonic()
        let now = host.clock.now
        for (entry, result) in round.outcomes {
            switch entry {
            case .journal(let ticket):
                scheduler.end(.journal)
                turn { node, outputs in
                    node.endSync(ticket, result, now: now, into: &outputs)
                }
                if node.journal.needsSync { scheduler.markDirty(.journal) }
            case .log(let group, let ticket):
                scheduler.end(.log(group))
                guard let log = logs[group] else { continue }
                log.isSyncing = false
                log.lastSync = milliseconds
                turn { node, outputs in
                    _ = node.call(group, into: &outputs) { replica, wanted in
                        replica.endSync(ticket, result, now: now, into: &wanted)
                    }
                }
                log.publish()
                report(log)
                removeFiles(of: log)
                markDirty(log)
            }
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
        if node.needsTicks { wait = min(wait, nextTick - now) }
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
        if node.needsTicks, now >= nextTick {
            // After a pause the time that was missed is not made up for: a clock that stood still is
            // no reason to campaign.
            nextTick = max(nextTick + Self.tickMilliseconds, now + 1)
            let wall = host.clock.now
            turn { node, outputs in node.tick(now: wall, into: &outputs) }
        }
        if now >= nextDiskCheck {
            nextDiskCheck = now + 1000
            guardian.check(host: host, logger: logger)
            scrubber.step(over: sortedLogs, host: host, logger: logger)
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
        for log in sortedLogs {
            do throws(LogError) {
                try log.log.rollIfOld(now: now)
                let before = log.log.logStartOffset
                turn { node, outputs in
                    _ = node.call(log.partition.group, into: &outputs) { replica, wanted in
                        replica.applyRetention(now: now, into: &wanted)
                    }
                }
                if log.log.logStartOffset != before { log.publish() }
            } catch {
                logger.warning(
                    "housekeeping failed",
                    metadata: ["partition": "\(log.partition.name)", "error": "\(error)"])
            }
            if log.log.needsBackgroundSync { schedule(log) }
        }
    }

    private var sortedLogs: [PartitionLog] { logs.keys.sorted().compactMap { logs[$0] } }

    /// Tells a replica's core what is gone from the front of its log.
    private mutating func noteLogStart(of log: PartitionLog) {
        let now = host.clock.now
        turn { node, outputs in
            _ = node.call(log.partition.group, into: &outputs) { replica, wanted in
                replica.noteLogStart(now: now, into: &wanted)
            }
        }
    }
}

// MARK: - What the broker asks for, on this thread

extension LogThread {
    /// Takes over a log.
    mutating func adopt(_ handover: Handover) {
        let log = handover.log
        guard !isStopping else { return log.abandon(Broker.stopping) }
        let group = log.partition.group
        logs[group] = log
        node.add(log.replica)
        log.publish()
        if log.log.isReadOnly {
            log.partition.refuseAppends(
                Fault(LogError.readOnly(log.log.recovery.damages), of: log.partition.name))
        }
        if log.log.needsBackgroundSync { schedule(log) }
        if let failure = node.journal.failure { return log.failJournal(failure) }
        if log.replica.isAlone {
            let now = host.clock.now
            turn { node, outputs in
                _ = node.call(group, into: &outputs) { replica, wanted in
                    replica.campaign(now: now, into: &wanted)
                }
            }
        }
        append(log.partition)
    }

    mutating func deleteRecords(
        of partition: Partition, before offset: Offset?
    ) -> Result<Offset, Fault> {
        guard let log = logs[partition.group] else {
            return .failure(Fault(.partitionNotFound, "\(partition.name) is not here"))
        }
        do throws(LogError) {
            try log.log.deleteRecords(before: offset ?? log.log.highWatermark)
        } catch {
            return .failure(Fault(error, of: partition.name))
        }
        noteLogStart(of: log)
        log.publish()
        schedule(log)
        return .success(log.log.logStartOffset)
    }

    /// Takes note of how far the scrubber came.
    mutating func endScrub(reachedBy cursor: ScrubCursor?) {
        scrubber.end(reachedBy: cursor)
    }

    mutating func rebuildIndex(of partition: Partition, segment: Offset) {
        guard let log = logs[partition.group] else { return }
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
        _ partition: Partition, _ settings: LogSettings, _ durability: TopicSettings.Durability
    ) -> Result<Void, Fault> {
        guard let log = logs[partition.group] else { return .success(()) }
        do throws(LogError) {
            try log.log.configure(settings)
        } catch {
            return .failure(Fault(error, of: partition.name))
        }
        let now = host.clock.now
        turn { node, outputs in
            _ = node.call(partition.group, into: &outputs) { _, wanted in
                log.setDurability(durability, now: now, into: &wanted)
            }
        }
        log.publish()
        markDirty(log)
        return .success(())
    }

    /// Runs a call when no log is being synced: now, or after the round under way.
    mutating func betweenRounds(_ body: @escaping @Sendable (inout LogThread) -> Void) {
        if scheduler.isBusy { afterRound.append(body) } else { body(&self) }
    }

    /// Gives a partition up; its files are no longer touched.
    mutating func release(_ partition: Partition, because fault: Fault) {
        guard let log = logs.removeValue(forKey: partition.group) else { return }
        turn { node, outputs in
            node.remove(partition.group, forgetting: true, into: &outputs)
        }
        scheduler.remove(.log(partition.group))
        recent.removeAll { $0 === log }
        log.abandon(fault)
    }

    /// Writes and syncs what waits, closes all logs and ends the thread.
    mutating func stop(because fault: Fault) -> [Handover] {
        let now = host.clock.now
        let all = sortedLogs
        for log in all {
            log.partition.refuseAppends(fault)
            var failure: LogError?
            turn { node, outputs in
                failure =
                    node.call(log.partition.group, into: &outputs) { _, wanted in
                        log.appendWaiting(now: now, into: &wanted).failure
                    } ?? nil
            }
            if let failure {
                logger.error(
                    "records were refused while stopping",
                    metadata: ["partition": "\(log.partition.name)", "error": "\(failure)"])
            }
        }
        isStopping = true
        scheduler = SyncScheduler()
        recent = []
        turn { node, outputs in
            for log in all {
                node.remove(log.partition.group, forgetting: false, into: &outputs)
            }
        }
        logs = [:]
        return all.map { Handover(log: $0) }
    }
}
