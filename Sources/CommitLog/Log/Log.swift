// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Disk
public import Records

/// An append-only sequence of batches in segments on a disk.
///
/// ```
/// Log ── segments ──▶ 00000000000000000000.store .index .timeindex   closed
///                     00000000000000018211.store                     active
///        checkpoint   what was promised, two slots
/// ```
///
/// A log is synchronous and has one owner, a storage thread, that makes all calls on it one after
/// the other; calls block on the disk. Two things leave it for other threads: ``snapshot``, a value
/// to read from, and ``SyncTicket``, the syncing itself, so that appends go on meanwhile.
///
/// Invariants, asserted where they could break:
/// - offsets and indexes are dense, ascend, and are given once;
/// - the high watermark never falls, and never passes what the commit rule allows;
/// - after a failed write or sync nothing more is committed until the log is opened anew;
/// - the log start offset never falls, and never passes the high watermark.
public final class Log {
    /// Where the log's files lie.
    public let directory: String
    let fileSystem: any FileSystem
    let group: UInt64
    /// What recovery found when the log was opened.
    public let recovery: RecoveryReport
    /// What the log is set to.
    public internal(set) var settings: LogSettings

    /// What the log takes.
    enum State: Equatable {
        case open
        /// Damaged: reads only.
        case readOnly
        /// A write or sync failed: reads of what was committed, only.
        case failed(FileError)
        case closed
    }

    var state: State
    var closed: [Segment]
    var active: ActiveSegment
    var salts: SplitMix64

    /// The offset that the next record gets.
    public internal(set) var nextOffset: Offset
    /// The index that the next frame gets.
    public internal(set) var nextIndex: LogIndex
    /// The term under which this life of the log appends.
    public internal(set) var term: Term
    /// The first offset that is still there.
    public internal(set) var logStartOffset: Offset
    /// The offset behind the last committed record.
    public internal(set) var highWatermark: Offset
    /// The last entry that is committed, if the log's owner says what is.
    public internal(set) var commitIndex: LogIndex
    /// How often entries were taken back.
    public internal(set) var truncationCount: UInt64 = 0
    /// Where entries are to be written anew.
    var regions: [DamagedRegion]
    /// What cannot be read.
    var damages: [Damage]
    /// ``truncationCount`` as of the last time that the log was begun anew.
    var resetAt: UInt64 = 0
    /// The terms of the entries and the group's members, if the log is a replica's.
    public internal(set) var lineage: Lineage
    /// Where the entries end that are not committed.
    var tail: UncommittedTail
    /// What the file `lineage` holds, as far as this life of the log knows.
    var lineageFile: LineageFile?
    /// The highest next index that a checkpoint on the disk may state.
    var vouchedIndex: LogIndex
    /// Which of their two slots the next checkpoint takes that says less than the one before.
    var lowerCheckpointCount: UInt64 = 0
    /// The latest time that the owner has told.
    var clock: Timestamp

    /// The last entry that is known to be on the disk.
    public internal(set) var syncedIndex: LogIndex
    var syncedOffset: Offset
    /// The durable index that the last frame states.
    var statedDurableIndex: LogIndex
    /// A mark was written that no sync has covered.
    var markIsUnsynced = false
    /// Closed stores that hold unsynced frames.
    var unsyncedStores: [any File]
    var directoryIsUnsynced: Bool
    var ticketIsOut = false

    var checkpointFile: (any File)?
    var checkpointSequence: UInt64
    /// Bytes synced, or to be synced, since the last checkpoint.
    var bytesSinceCheckpoint: UInt64 = 0
    /// A checkpoint is needed with the next sync, however few bytes there are.
    var checkpointIsDue: Bool
    /// The term is on the disk, so frames of it may be shown.
    var termIsDurable = false
    /// Segments below the log start offset, to be removed once that is durable.
    var removable: [RemovableSegment] = []
    /// The log start offset that the disk knows.
    var durableLogStart: Offset
    /// The idempotent producers, as of the last frame.
    var producers: ProducerTable
    /// The last checkpoint that was made, for the one that only carries a new term.
    var lastCheckpoint: Checkpoint?

    /// Opens a log, or makes a new one.
    ///
    /// Whatever happened before, this is how a log starts.
    ///
    /// - Parameters:
    ///   - directory: The log's own directory, which exists.
    ///   - group: A hash that names the log, the same each time.
    ///   - now: The wall clock.
    ///   - seed: Different each time; salts come from it.
    ///   - committedHint: An entry that is known to be committed, if the log's owner says what is.
    public init(
        directory: String, group: UInt64, on fileSystem: any FileSystem, settings: LogSettings,
        now: Timestamp, seed: UInt64, committedHint: LogIndex = .zero
    ) throws(LogError) {
        do throws(FileError) {
            try LogReset.finish(in: directory, on: fileSystem)
        } catch {
            throw .file(error)
        }
        var recovery = try LogRecovery(
            directory: directory, group: group, fileSystem: fileSystem, settings: settings,
            now: now, seed: seed)
        let result = try recovery.run()
        self.directory = directory
        self.group = group
        self.fileSystem = fileSystem
        self.settings = settings
        self.recovery = result.report
        state = result.isUsable ? .open : .readOnly
        regions = result.regions
        damages = result.report.damages
        closed = result.closed
        active = result.active
        salts = result.salts
        nextOffset = result.nextOffset
        nextIndex = result.nextIndex
        clock = now
        vouchedIndex = result.checkpoint?.nextIndex ?? .zero
        commitIndex = .zero
        tail = UncommittedTail(firstIndex: result.nextIndex)
        let segments =
            result.closed + [result.active.view(in: directory, on: fileSystem, isClosed: false)]
        lineage =
            settings.commitRule == .byCaller
            ? try LineageRecovery(
                directory: directory, fileSystem: fileSystem, segments: segments
            ).run(result.checkpoint) : Lineage()
        term = settings.commitRule == .byCaller ? lineage.lastTerm : result.term
        syncedIndex = result.durableIndex
        syncedOffset = result.durableOffset
        statedDurableIndex = result.durableIndex
        unsyncedStores = result.unsynced
        // After the end of a process the directory may show names that the disk does not have.
        directoryIsUnsynced =
            !result.report.wasClean && !result.report.isNew && result.isUsable
        checkpointSequence = result.checkpointSequence
        checkpointIsDue = !result.report.wasClean && result.isUsable
        logStartOffset = result.logStartOffset
        // The checkpoint may have been read from the page cache of a machine that goes on.
        durableLogStart = .zero
        lastCheckpoint = result.checkpoint
        highWatermark = result.durableOffset
        // A damaged log takes no batches, so nobody is asked for.
        producers =
            result.isUsable
            ? try ProducerRecovery(
                directory: directory, group: group, fileSystem: fileSystem,
                segments: segments, nextIndex: result.nextIndex, checkpoint: result.checkpoint,
                lineage: lineage, limits: settings.producerLimits, now: now
            ).run() : ProducerTable(limits: settings.producerLimits)
        if state == .open { dropBelowHoles() }
        try beginCommitted(committedHint)
        // A log start offset that a crash kept from being carried out is carried out now.
        if state == .open {
            collectRemovable()
            if !removable.isEmpty { checkpointIsDue = true }
        }
        try settle()
        checkInvariants()
    }

    /// Makes what recovery kept count: durable first where the commit rule asks for it.
    private func settle() throws(LogError) {
        switch settings.commitRule {
        case .whenWritten:
            highWatermark = nextOffset
        case .whenSynced:
            if state == .open, checkpointIsDue {
                try syncNow()
            }
            highWatermark = nextOffset
            syncedIndex = lastIndex
            syncedOffset = nextOffset
        case .byCaller:
            if state == .open, checkpointIsDue { try syncNow() }
            syncedIndex = lastIndex
            syncedOffset = nextOffset
            highWatermark = max(highWatermark, min(logStartOffset, nextOffset))
        }
        logStartOffset = min(logStartOffset, highWatermark)
    }

    /// Begins with what is committed for sure: nothing but what is gone, or what the owner knows.
    private func beginCommitted(_ hint: LogIndex) throws(LogError) {
        guard settings.commitRule == .byCaller else { return }
        commitIndex = max(firstIndex.previous, min(hint, lastIndex), try lastIndexBelowLogStart())
        highWatermark = try endOffset(at: commitIndex)
    }

    /// The entry that holds the last record before the log start offset: it was committed when that
    /// was moved.
    private func lastIndexBelowLogStart() throws(LogError) -> LogIndex {
        let offset = Offset(min(logStartOffset, nextOffset).rawValue - 1)
        let snapshot = snapshot
        guard offset >= snapshot.segment(0).baseOffset else { return .zero }
        let segment = snapshot.segment(snapshot.segmentNumber(of: offset))
        let place = try onDisk { () throws(FileError) in try segment.place(of: offset) }
        var walk = EnvelopeWalk(segment, from: place.position)
        var index = LogIndex.zero
        while let frame = try walk.next(), frame.baseOffset <= offset {
            if frame.kind.isEntry { index = frame.index }
        }
        return index
    }

    /// The index of the last frame.
    public var lastIndex: LogIndex { LogIndex(nextIndex.rawValue - 1) }

    /// What readers may see now.
    ///
    /// Costs next to nothing.
    public var snapshot: LogSnapshot {
        LogSnapshot(
            logStartOffset: logStartOffset, highWatermark: highWatermark,
            damages: damages, size: size, closed: closed,
            active: active.view(in: directory, on: fileSystem, isClosed: false))
    }

    /// The number of segments.
    public var segmentCount: Int { closed.count + 1 }

    /// Bytes of all stores.
    public var size: UInt64 {
        closedSize + active.size
    }

    /// Bytes of the closed stores, kept up to date so that ``size`` does not walk them.
    private var closedSize: UInt64 {
        if closedSizeCache.count != closed.count
            || closedSizeCache.first != closed.first?.baseOffset
        {
            closedSizeCache = (
                closed.count, closed.first?.baseOffset, closed.reduce(0) { $0 + $1.size }
            )
        }
        return closedSizeCache.size
    }
    private var closedSizeCache: (count: Int, first: Offset?, size: UInt64) = (0, nil, 0)

    /// Has the bytes of the closed stores be added up anew.
    func forgetClosedSize() { closedSizeCache = (-1, nil, 0) }

    /// Throws unless records can be appended.
    func requireWritable() throws(LogError) {
        switch state {
        case .open: break
        case .readOnly: throw .readOnly(damages)
        case .failed(let error): throw .failed(error)
        case .closed: throw .closed
        }
    }

    /// The error that stopped the log, if one did.
    public var failure: FileError? {
        if case .failed(let error) = state { error } else { nil }
    }

    /// Whether the log takes no records because of damage.
    public var isReadOnly: Bool { state == .readOnly }

    /// Checks what must hold between any two calls.
    public func checkInvariants() {
        precondition(logStartOffset <= highWatermark, "log start behind the high watermark")
        precondition(highWatermark <= nextOffset, "high watermark behind the end")
        precondition(syncedIndex < nextIndex, "synced beyond the end")
        precondition(syncedOffset <= nextOffset, "synced beyond the end")
        producers.checkInvariants()
        precondition(active.baseOffset <= nextOffset, "active segment begins behind the end")
        if case .open = state, settings.commitRule == .whenSynced {
            precondition(highWatermark <= syncedOffset, "committed before it was synced")
        }
        if settings.commitRule == .byCaller { checkReplicaInvariants() }
    }
}
