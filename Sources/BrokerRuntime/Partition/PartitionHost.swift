// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import Disk
internal import Faults
public import Records
internal import Replication
internal import Synchronization

/// What all partitions of a disk share: the log thread, the threads that sync and those that read.
///
/// ```
/// callers ──inbox──▶ log thread ──one write a log──▶ page cache
///                        │  ▲
///                  ticket▼  │result      one round at a time over all dirty logs
///                      sync threads ──fdatasync──▶ disk
/// ```
///
/// While a round is under way the log thread goes on writing; what it writes is covered by the next
/// round. So the disk sets the pace, and a sync serves all who came during the one before.
final class PartitionHost: Sendable {
    /// The threads that read for readers.
    let readers: JobPool
    /// The threads that sync and remove files.
    let syncers: JobPool
    let queue: BlockingQueue<LogThread.Command>
    let clock: BrokerClock
    let queueBytesMax: Int
    let verifiesReads: Bool
    private let refusalState = Mutex<Fault?>(nil)
    /// Who the node is among those that hold replicas.
    let identity: NodeIdentity
    /// What the journal of votes said of each group when the node started.
    let records: [GroupID: HardStateRecord]
    /// Carries messages to other nodes; never waits, and may lose some.
    let sendToPeer: @Sendable (NodeMessage) -> Void

    static let readerCount = 4
    static let syncerCount = 8

    init(
        settings: BrokerSettings, clock: BrokerClock, identity: NodeIdentity = .alone,
        records: [GroupID: HardStateRecord] = [:],
        sendToPeer: @escaping @Sendable (NodeMessage) -> Void = { _ in }
    ) {
        self.identity = identity
        self.records = records
        self.sendToPeer = sendToPeer
        readers = JobPool(threadCount: Self.readerCount)
        syncers = JobPool(threadCount: Self.syncerCount)
        queue = BlockingQueue()
        self.clock = clock
        queueBytesMax = settings.queueBytesMax
        verifiesReads = settings.verifyReads
    }

    /// Why no partition takes records now, if so.
    var refusal: Fault? { refusalState.withLock { $0 } }

    func setRefusal(_ fault: Fault?) { refusalState.withLock { $0 = fault } }

    /// Tells the log thread that something waits in a partition's inbox.
    func announce(_ partition: Partition) {
        queue.push(.ready(partition))
    }

    /// Runs a call on the log thread and waits for its result.
    func onLogThread<Value: Sendable>(
        _ body: @escaping @Sendable (inout LogThread) -> Result<Value, Fault>
    ) async throws(Fault) -> Value {
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<Value, Fault>, Never>) in
            let isTaken = queue.push(.run { continuation.resume(returning: body(&$0)) })
            if !isTaken {
                continuation.resume(
                    returning: .failure(Fault(.shuttingDown, "the server is stopping")))
            }
        }
        return try result.get()
    }

    /// Runs a call on the log thread while no log is being synced, and waits for its result.
    func betweenRounds<Value: Sendable>(
        _ body: @escaping @Sendable (inout LogThread) -> Result<Value, Fault>
    ) async throws(Fault) -> Value {
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<Value, Fault>, Never>) in
            let isTaken = queue.push(
                .run { $0.betweenRounds { continuation.resume(returning: body(&$0)) } })
            if !isTaken {
                continuation.resume(
                    returning: .failure(Fault(.shuttingDown, "the server is stopping")))
            }
        }
        return try result.get()
    }

    /// Moves a partition's log start offset up.
    func deleteRecords(of partition: Partition, before offset: Offset?) async throws(Fault)
        -> Offset
    {
        let start = try await onLogThread { thread in
            thread.deleteRecords(of: partition, before: offset)
        }
        return start
    }
}

/// The clocks of a broker: doors, so that tests decide what time it is.
public struct BrokerClock: Sendable {
    /// The wall clock.
    public var wall: @Sendable () -> Timestamp
    /// Milliseconds of a clock that never jumps.
    public var monotonic: @Sendable () -> Int64

    /// Lets so many microseconds pass on the calling thread.
    public var pause: @Sendable (UInt32) -> Void

    /// Clocks that these closures read.
    public init(
        wall: @escaping @Sendable () -> Timestamp, monotonic: @escaping @Sendable () -> Int64,
        pause: @escaping @Sendable (UInt32) -> Void = { _ in }
    ) {
        self.wall = wall
        self.monotonic = monotonic
        self.pause = pause
    }

    var now: Timestamp { wall() }
}
