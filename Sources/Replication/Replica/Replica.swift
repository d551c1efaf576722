// SPDX-License-Identifier: Apache-2.0

public import CommitLog
public import Disk
public import RaftCore
public import Records

/// One replica of a partition: the consensus core over a log.
///
/// ```
///  append, message, tick, completions ──▶ Replica ──▶ ReplicaOutput: send, save, read, committed …
///                                          │    ▲
///                                    Raft ◀┘    └▶ Log
/// ```
///
/// It has one owner, a storage thread or the simulator, that makes all calls one after the other and
/// performs the outputs in order. What the core wants of the log is done here, at once; what it wants
/// of others is handed up. A replica without peers is the same with a group of one.
public final class Replica {
    /// Who it is.
    public let id: ReplicaID
    /// Its group.
    public let group: GroupID
    /// The log; the owner reads from its snapshots, syncs through the replica, and changes nothing.
    public let log: Log
    /// The core, to look at.
    public internal(set) var raft: Raft
    /// Whether what is written counts as durable before it is synced.
    public var isRelaxed: Bool

    var cache: EntryCache
    /// How far the log may outgrow its retention for a live follower, in bytes.
    let lagBytesMax: UInt64
    /// The epoch of the last append that was performed.
    var epoch: UInt64 = 0
    /// The epoch when the sync under way began.
    var syncEpoch: UInt64 = 0
    /// The outputs' own list of what the core wants, kept to be used again.
    var effects: [Effect] = []
    /// What has to be told to the core before anything else.
    var followUps: [Input] = []
    /// A snapshot that there was no room for: each tick tries again.
    var unfinished: (snapshot: Snapshot, offset: Offset)?
    /// The core knows that the log, or the journal, has failed.
    var failureIsTold = false
    /// The time of the call under way.
    var now = Timestamp.none

    /// Opens a replica whose log lies in a folder that exists.
    ///
    /// Blocks while the log is recovered. The replica does nothing by itself yet: a first tick, message
    /// or ``campaign(now:into:)`` sets it going.
    ///
    /// - Parameters:
    ///   - logGroup: The hash that names the log in its frames.
    ///   - record: What the journal says of the group.
    ///   - seed: Different each time and for each replica.
    public init(
        _ settings: ReplicaSettings, directory: String, logGroup: UInt64,
        on fileSystem: any FileSystem, record: HardStateRecord?, now: Timestamp, seed: UInt64
    ) throws(LogError) {
        id = settings.id
        group = settings.group
        isRelaxed = settings.isRelaxed
        cache = EntryCache(bytesMax: settings.cacheBytesMax)
        lagBytesMax = settings.lagBytesMax
        log = try Log(
            directory: directory, group: logGroup, on: fileSystem, settings: settings.log, now: now,
            seed: seed, committedHint: record?.commit ?? .zero)
        let start = try Self.start(of: log, settings, record)
        var raftSettings = settings.raft
        raftSettings.isRelaxed = settings.isRelaxed
        raft = Raft(id: settings.id, settings: raftSettings, start: start, seed: seed ^ 0x5261_6674)
        if isDamaged { commitAllOfDamaged() }
    }

    /// What the core is told of the disk.
    private static func start(
        of log: Log, _ settings: ReplicaSettings, _ record: HardStateRecord?
    ) throws(LogError) -> RaftStart {
        var start = RaftStart()
        start.hardState = record?.state ?? HardState()
        start.startIndex = log.firstIndex.previous
        start.startTerm = log.startTerm
        start.lastIndex = log.lastIndex
        for term in log.lineage.terms {
            let first = max(term.index, log.firstIndex)
            if let last = start.termStarts.last, last.first >= first {
                start.termStarts.removeLast()
            }
            guard first <= log.lastIndex else { continue }
            start.termStarts.append(RaftStart.TermStart(term: term.term, first: first))
        }
        start.commit = log.commitIndex
        start.configuration = settings.bootstrap
        for entry in log.lineage.configurations {
            guard let configuration = Configuration(encoded: entry.payload[...]) else {
                throw .unusable(
                    path: log.directory,
                    reason: "names members that cannot be, in entry \(entry.index)")
            }
            start.configurations.append(
                RaftStart.IndexedConfiguration(index: entry.index, configuration: configuration))
        }
        // Of more than these the log has forgotten the first ones, and with them what was before: the
        // oldest that is left is committed, or the next one could not have been appended.
        if start.configurations.count >= Lineage.configurationsMax,
            let oldest = start.configurations.first, oldest.index > start.startIndex
        {
            start.configuration = oldest.configuration
        }
        start.damaged = log.damagedEntries.map {
            RaftStart.DamagedRange(
                first: $0.first, last: $0.last, termsAreKnown: $0.termsAreKnown)
        }
        start.mayHaveLostEntries = settings.mayHaveLostEntries
        return start
    }

    /// A damaged log of a group of one is read as far as it can be: nobody else knows more.
    private func commitAllOfDamaged() {
        guard raft.configuration.members == [id] else { return }
        if log.isReadOnly { log.showAll() } else { log.commit(upTo: log.lastIndex) }
    }

    /// Whether it leads and knows what is committed.
    public var isReady: Bool { raft.isReady }

    /// Whether a quiet group's clock needs no ticks.
    public var isQuiet: Bool { raft.isQuiet }

    /// Whether the log takes nothing because of damage that no other replica can repair.
    public var isDamaged: Bool { log.isReadOnly || isAlone && !log.damagedEntries.isEmpty }

    /// Whether no other replica has a vote, so that this one can lead at once.
    public var isAlone: Bool {
        raft.configuration.voters == [id] && !raft.configuration.isJoint
    }

    /// Whether its own disk has failed.
    public var hasFailed: Bool { log.failure != nil }

    // MARK: What happens

    /// Time has passed: one tick of the core's settings.
    public func tick(now: Timestamp, into outputs: inout [ReplicaOutput]) {
        tellFailure(now: now, into: &outputs)
        installAgain(now: now, into: &outputs)
        step(.tick, now: now, into: &outputs)
    }

    /// A peer says something.
    ///
    /// - Throws: That the message makes no sense; nothing was changed.
    public func receive(
        _ message: PeerMessage, now: Timestamp, into outputs: inout [ReplicaOutput]
    ) throws(PeerMessageError) {
        guard message.group == group, message.message.to == id else { return }
        try check(message)
        step(.message(message.message), carrying: message, now: now, into: &outputs)
    }

    /// Compares what a message says of its entries with the entries.
    private func check(_ message: PeerMessage) throws(PeerMessageError) {
        try message.checkSense()
        let infos: [EntryInfo]
        switch message.message.body {
        case .append(let append): infos = append.entries
        case .repair(let repair): infos = repair.entries
        default: return
        }
        guard infos.count == message.entries.count else {
            throw .malformed("the number of entries")
        }
        for (info, entry) in zip(infos, message.entries) {
            // The size is an estimate, and nothing relies on it being the same everywhere.
            guard info.term == entry.term, try entry.info().kind == info.kind else {
                throw .malformed("an entry")
            }
            do throws(FrameHeader.Flaw) {
                try entry.check()
            } catch {
                throw .malformed("an entry: \(error)")
            }
        }
    }

    /// The journal has made durable what it was given.
    public func hardStateSaved(
        version: UInt64, now: Timestamp, into outputs: inout [ReplicaOutput]
    ) {
        step(.hardStateSaved(version: version), now: now, into: &outputs)
    }

    /// The journal has failed, and with it the store.
    public func hardStateFailed(now: Timestamp, into outputs: inout [ReplicaOutput]) {
        step(.storageFailed, now: now, into: &outputs)
    }

    /// Any other input of the core: reads, changes of members, transfers, lost nodes.
    public func perform(_ input: Input, now: Timestamp, into outputs: inout [ReplicaOutput]) {
        step(input, now: now, into: &outputs)
    }

    /// Asks to lead.
    public func campaign(now: Timestamp, into outputs: inout [ReplicaOutput]) {
        guard !isDamaged else { return }
        step(.campaign, now: now, into: &outputs)
    }

    // MARK: Appending

    /// Appends batches as the leader, one entry each, in one write.
    ///
    /// They are in the log when this returns, on their way to the followers, and committed once
    /// ``ReplicaOutput/committed(_:)`` passes them.
    ///
    /// - Parameters:
    ///   - bytes: The size of all batches.
    ///   - term: The term in which the caller has judged them, if that matters.
    /// - Throws: Why the replica takes none.
    public func append(
        _ batches: [BatchBuffer], bytes: Int, expecting term: Term? = nil, now: Timestamp,
        into outputs: inout [ReplicaOutput]
    ) throws(ProposalRefusal) -> Log.AppendResult {
        if let refusal = raft.proposalRefusal(expecting: term, bytes: bytes) { throw refusal }
        let first = log.nextIndex
        let result = log.append(batches, now: now)
        var infos: [EntryInfo] = []
        infos.reserveCapacity(result.outcomes.count)
        let isAlone = raft.followersAreNone
        for (number, outcome) in result.outcomes.enumerated() {
            guard case .appended = outcome else { continue }
            let batch = batches[number]
            infos.append(EntryInfo(term: raft.term, size: FrameHeader.size + batch.count))
            if !isAlone {
                cache.add(
                    LogEntry(appended: batch), at: first.advanced(by: infos.count - 1))
            }
        }
        if !infos.isEmpty { step(.appended(infos), now: now, into: &outputs) }
        if isRelaxed, !infos.isEmpty { tellWritten(into: &outputs) }
        if let failure = result.failure { note(failure, into: &outputs) }
        return result
    }

    /// Tells the core of a failure that came to light outside of its own appends: when a sync was begun,
    /// or when the owner closed a segment.
    private func tellFailure(now: Timestamp, into outputs: inout [ReplicaOutput]) {
        guard !failureIsTold, let failure = log.failure else { return }
        self.now = now
        note(.failed(failure), into: &outputs)
    }

    private func tellWritten(into outputs: inout [ReplicaOutput]) {
        step(
            .entriesStored(through: log.lastIndex, epoch: epoch), now: now, into: &outputs)
    }

    /// Takes note of a write that failed.
    func note(_ error: LogError, into outputs: inout [ReplicaOutput]) {
        if case .diskFull = error {
            outputs.append(.diskFull(error))
            return
        }
        outputs.append(.failed(error))
        step(.storageFailed, now: now, into: &outputs)
    }

    // MARK: Syncing

    /// Changes whether what is written counts as durable before it is synced.
    public func relax(_ isRelaxed: Bool, now: Timestamp, into outputs: inout [ReplicaOutput]) {
        self.isRelaxed = isRelaxed
        raft.settings.isRelaxed = isRelaxed
        self.now = now
        if isRelaxed { tellWritten(into: &outputs) }
    }

    /// Makes everything durable, tells the core, and closes the log.
    ///
    /// Blocks. What this commits is in the log's snapshot; peers hear nothing of it any more.
    public func close(now: Timestamp) throws(LogError) {
        var outputs: [ReplicaOutput] = []
        if let ticket = try beginSync() {
            endSync(ticket, ticket.run(), now: now, into: &outputs)
        }
        try log.close()
    }

    /// Whether a sync would make something durable that is not.
    public var needsSync: Bool { log.needsSync }

    /// Begins to make durable what was written so far; `nil` if it is, or if a sync is running.
    ///
    /// If this throws that the log has failed, the next tick tells the core.
    public func beginSync() throws(LogError) -> SyncTicket? {
        guard let ticket = try log.beginSync() else { return nil }
        syncEpoch = epoch
        return ticket
    }

    /// Takes note of how a sync went.
    public func endSync(
        _ ticket: SyncTicket, _ result: Result<Void, FileError>, now: Timestamp,
        into outputs: inout [ReplicaOutput]
    ) {
        self.now = now
        log.endSync(ticket, result)
        if let failure = log.failure {
            note(.failed(failure), into: &outputs)
        } else if !isRelaxed {
            step(
                .entriesStored(through: log.syncedIndex, epoch: syncEpoch), now: now,
                into: &outputs)
        }
    }
}
