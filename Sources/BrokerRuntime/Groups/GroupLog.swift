// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
internal import CommitLog
internal import DequeModule
internal import Disk
internal import Faults
internal import Logging
internal import Records

/// The internal partition that groups are kept in: written like any other, by the log thread, but in
/// no catalog, so that no client can name it.
///
/// Each record states a fact by its key, and a later one of the same key replaces it. So a snapshot is
/// nothing but the facts that hold, stated once more:
///
/// ```
/// old facts … │ first fact of the snapshot … last │ new facts …
///             ▲ where the log begins, once the last is durable
/// ```
///
/// Whoever replays old facts and then a snapshot, whole or broken off, ends with what the old facts
/// said; so a crash at any point in between is harmless. Only while a snapshot is being written must
/// no other fact come between its records: those wait here.
///
/// Owned by the coordinator's thread, which never waits for the disk: what happened comes back as an
/// ``Event`` in its queue.
struct GroupLog {
    /// What comes back from the storage threads.
    enum Event: Sendable {
        /// The log was made, or why not.
        case opened(Result<Opened, Fault>)
        /// Facts that were appended are durable, or why not.
        case appended(token: UInt64, size: Int, Result<Appended, Fault>)
        /// A part of a snapshot is durable, or why not.
        case snapshotPart(Result<Appended, Fault>)
    }

    /// A log on its way to the log thread, and the partition that it is read and written by.
    struct Opened: Sendable {
        var partition: Partition
        var handover: LogThread.Handover
        var settled: Settling
    }

    /// A fact: a key, and what is said of it; `nil` if nothing holds any more.
    typealias Fact = (key: [UInt8], value: [UInt8]?)

    /// What became of an append.
    struct Outcome: Sendable {
        var token: UInt64
        /// `nil` if the facts are durable.
        var fault: Fault?
    }

    private struct Waiting {
        var batch: BatchBuffer
        var token: UInt64
    }

    private struct Snapshot {
        var parts: Deque<BatchBuffer>
        var size: Int
        /// Parts that were handed over and are not durable yet.
        var underWay = 0
        /// Where the log is to begin.
        var start: Offset?
        var hasFailed = false
    }

    /// Bytes of one batch of a snapshot.
    static let partSize = 256 << 10
    /// Parts of a snapshot that are on their way to the disk at once.
    static let partsUnderWayMax = 16
    /// The largest batch of facts: what one request can change.
    static let batchSizeMax = 64 << 20

    private let storage: GroupStorage
    private let notify: @Sendable (Event) -> Void
    private let snapshotSizeMin: Int
    private(set) var partition: Partition?
    private var isOpening = false
    private var waiting: Deque<Waiting> = []
    /// Appends on their way to the disk, and why they failed, or that they did not, once it is known.
    private var underWay: Deque<(token: UInt64, fault: Fault??)> = []
    private var snapshot: Snapshot?
    /// Bytes since the last snapshot, and how many there may be.
    private var sizeSinceSnapshot = 0
    private var sizeAllowed: Int

    /// A log that is not opened yet.
    ///
    /// - Parameters:
    ///   - snapshotSizeMin: Bytes before a snapshot is worth while.
    ///   - notify: Called on storage threads.
    init(
        _ storage: GroupStorage, snapshotSizeMin: Int,
        notify: @escaping @Sendable (Event) -> Void
    ) {
        self.storage = storage
        self.snapshotSizeMin = snapshotSizeMin
        self.notify = notify
        sizeAllowed = snapshotSizeMin
    }

    /// About the bytes that a fact takes.
    static func size(of fact: Fact) -> Int { fact.key.count + (fact.value?.count ?? 0) + 16 }

    // MARK: Starting

    /// Opens the log if there is one, and gives all its facts in order.
    ///
    /// Blocks; nobody is served yet.
    mutating func replay(_ body: (Fact) -> Void) throws(Fault) {
        guard let opened = try storage.openExisting() else { return }
        adopt(opened)
        try storage.replay(opened.partition, body)
    }

    /// Takes note of how large the facts are that hold, of all that was replayed.
    mutating func endReplay(factsSize: Int) {
        let size = partition.map { storage.size(of: $0) } ?? 0
        sizeAllowed = max(snapshotSizeMin, 4 * factsSize)
        sizeSinceSnapshot = max(0, size - factsSize)
    }

    private mutating func adopt(_ opened: Opened) {
        partition = opened.partition
        storage.adopt(opened)
    }

    // MARK: Appending

    /// Appends facts: all of them or none.
    mutating func append(_ facts: [Fact], token: UInt64) {
        precondition(!facts.isEmpty, "a batch has facts")
        waiting.append(Waiting(batch: storage.batch(of: facts), token: token))
        pump()
    }

    /// Whether nothing is on its way to the disk.
    var isIdle: Bool { waiting.isEmpty && underWay.isEmpty && snapshot == nil }

    /// Takes note of what a storage thread has done.
    ///
    /// - Returns: Appends whose outcome is known now, in the order in which they were asked for.
    mutating func note(_ event: Event) -> [Outcome] {
        switch event {
        case .opened(.success(let opened)):
            isOpening = false
            adopt(opened)
        case .opened(.failure(let fault)):
            // Tried again with the next facts.
            isOpening = false
            for entry in waiting {
                notify(.appended(token: entry.token, size: 0, .failure(fault)))
                underWay.append((entry.token, nil))
            }
            waiting = []
        case .appended(let token, let size, let result):
            if case .success = result { sizeSinceSnapshot += size }
            note(token, result)
        case .snapshotPart(let result):
            noteSnapshotPart(result)
        }
        var known: [Outcome] = []
        while let first = underWay.first, let fault = first.fault {
            underWay.removeFirst()
            known.append(Outcome(token: first.token, fault: fault))
        }
        pump()
        return known
    }

    /// What is refused is told at once, before what was taken earlier is durable.
    private mutating func note(_ token: UInt64, _ result: Result<Appended, Fault>) {
        guard let place = underWay.firstIndex(where: { $0.token == token }) else {
            preconditionFailure("an append that nobody asked for")
        }
        switch result {
        case .success: underWay[place].fault = .some(nil)
        case .failure(let fault): underWay[place].fault = fault
        }
    }

    private mutating func pump() {
        guard let partition else {
            if !waiting.isEmpty, !isOpening {
                isOpening = true
                let notify = notify
                storage.create { notify(.opened($0)) }
            }
            return
        }
        sendSnapshotParts(to: partition)
        // What is to be appended next must not come between the parts of a snapshot, nor what is on
        // its way be missing in it.
        guard snapshot?.parts.isEmpty ?? true, !isSnapshotDue else { return }
        while let entry = waiting.popFirst() {
            underWay.append((entry.token, nil))
            let notify = notify
            let size = entry.batch.count
            partition.append(entry.batch) {
                notify(.appended(token: entry.token, size: size, $0))
            }
        }
    }

    // MARK: Snapshots

    private var isSnapshotDue: Bool { snapshot == nil && sizeSinceSnapshot > sizeAllowed }

    /// Whether the facts that hold are wanted now, for ``write(snapshot:)``: the log has grown, and
    /// everything that was appended is durable and known to be.
    var wantsSnapshot: Bool { isSnapshotDue && underWay.isEmpty && partition != nil }

    /// Writes the facts that hold, and lets go of what was before once they are durable.
    mutating func write(snapshot facts: some Sequence<Fact>) {
        guard let partition else { return }
        var parts: Deque<BatchBuffer> = []
        var part: [Fact] = []
        var partSize = 0
        var size = 0
        for fact in facts {
            part.append(fact)
            partSize += Self.size(of: fact)
            if partSize >= Self.partSize {
                let batch = storage.batch(of: part)
                size += batch.count
                parts.append(batch)
                part = []
                partSize = 0
            }
        }
        if !part.isEmpty {
            let batch = storage.batch(of: part)
            size += batch.count
            parts.append(batch)
        }
        guard !parts.isEmpty else {
            // Nothing holds any more, and what is in the log is durable.
            storage.deleteFacts(of: partition, before: partition.highWatermark)
            endSnapshot(size: 0)
            return
        }
        snapshot = Snapshot(parts: parts, size: size)
        pump()
    }

    private mutating func sendSnapshotParts(to partition: Partition) {
        while snapshot.map({ $0.underWay < Self.partsUnderWayMax }) ?? false,
            let part = snapshot?.parts.popFirst()
        {
            snapshot?.underWay += 1
            let notify = notify
            partition.append(part) { notify(.snapshotPart($0)) }
        }
    }

    private mutating func noteSnapshotPart(_ result: Result<Appended, Fault>) {
        guard var snapshot else { preconditionFailure("a part of no snapshot") }
        snapshot.underWay -= 1
        switch result {
        case .success(let appended):
            snapshot.start = min(snapshot.start ?? appended.baseOffset, appended.baseOffset)
        case .failure(let fault):
            if !snapshot.hasFailed { storage.reportSnapshotFailure(fault) }
            snapshot.hasFailed = true
            snapshot.parts = []
        }
        self.snapshot = snapshot
        guard snapshot.parts.isEmpty, snapshot.underWay == 0 else { return }
        self.snapshot = nil
        if snapshot.hasFailed {
            // The parts that were written say nothing new. Try again when as much has come again.
            sizeSinceSnapshot = 0
        } else if let partition, let start = snapshot.start {
            storage.deleteFacts(of: partition, before: start)
            endSnapshot(size: snapshot.size)
        }
    }

    private mutating func endSnapshot(size: Int) {
        sizeSinceSnapshot = 0
        sizeAllowed = max(snapshotSizeMin, 4 * size)
    }
}
