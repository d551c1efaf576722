// SPDX-License-Identifier: Apache-2.0

import Bytes
import ClusterCore
import CommitLog
import Disk
import Faults
import RaftCore
import Records
import Replication
import SimulatedDisk
import Synchronization
import Testing

@testable import BrokerRuntime

/// What the log thread does with a partition, call by call.
@Suite("A partition's log")
struct PartitionLogTests {
    private let now = Timestamp(milliseconds: 1_000_000)
    private let disk = SimulatedFileSystem()

    private func withLog(
        _ durability: TopicSettings.Durability = .fsync,
        _ body: (PartitionLog, Partition) throws -> Void
    ) throws {
        let host = PartitionHost(settings: BrokerSettings(), clock: TestClock().clock)
        defer {
            host.readers.close()
            host.syncers.close()
        }
        try disk.createDirectory("/log")
        let partition = Partition(
            topic: "logs", number: 0, group: GroupID(high: 1, low: 1, partition: 0), host: host,
            batchSizeMax: 1 << 20, onDamagedIndex: { _, _ in })
        let replica = try host.openReplica(
            of: partition, directory: "/log", logGroup: 1, on: disk, settings: LogSettings(),
            seed: 1)
        let owner = PartitionLog(partition: partition, replica: replica, durability: durability)
        try owner.lead(now: now)
        try body(owner, partition)
    }

    /// A batch as an idempotent producer sends it.
    private func batch(sequence: Int32, epoch: Int16 = 0) -> BatchBuffer {
        let buffer = BrokerFixture.batch(0..<2)
        let bytes = buffer.mutableBytes
        bytes.storeBigEndian(Int64(7), at: 43)
        bytes.storeBigEndian(epoch, at: 51)
        bytes.storeBigEndian(sequence, at: 53)
        bytes.storeBigEndian(RecordBatch.checksum(of: UnsafeRawBufferPointer(bytes)), at: 17)
        return buffer
    }

    /// What producers are told, in the order of their being told.
    private final class Answers: Sendable {
        private let list = Mutex<[(String, Result<Appended, Fault>)]>([])

        func completion(_ name: String) -> @Sendable (Result<Appended, Fault>) -> Void {
            { result in self.list.withLock { $0.append((name, result)) } }
        }

        var names: [String] { list.withLock { $0.map(\.0) } }

        func fault(_ name: String) -> Fault? {
            if case .failure(let fault) = self[name] { fault } else { nil }
        }

        subscript(name: String) -> Result<Appended, Fault>? {
            list.withLock { $0.first { $0.0 == name }?.1 }
        }
    }

    @Test("answers a duplicate once the first one is durable, not before, with its offset")
    func duplicateWaits() throws {
        try withLog { owner, partition in
            let answers = Answers()
            partition.append(BrokerFixture.batch(0..<3), completion: answers.completion("plain"))
            partition.append(batch(sequence: 0), completion: answers.completion("first"))
            owner.appendAll(now: now)
            let ticket = try #require(try owner.replica.beginSync())
            // Comes while the sync of the first one runs.
            partition.append(batch(sequence: 0), completion: answers.completion("again"))
            partition.append(batch(sequence: 2), completion: answers.completion("next"))
            owner.appendAll(now: now)
            #expect(answers.names.isEmpty)
            owner.end(ticket, now: now)
            #expect(answers.names == ["plain", "first", "again"])
            #expect(try answers["first"]?.get().baseOffset == 3)
            #expect(try answers["first"]?.get().isDuplicate == false)
            #expect(try answers["again"]?.get().baseOffset == 3)
            #expect(try answers["again"]?.get().isDuplicate == true)
            let second = try #require(try owner.replica.beginSync())
            owner.end(second, now: now)
            #expect(try answers["next"]?.get().baseOffset == 5)
            // One that is durable already is answered at once.
            partition.append(batch(sequence: 0), completion: answers.completion("late"))
            owner.appendAll(now: now)
            #expect(try answers["late"]?.get().baseOffset == 3)
            #expect(owner.log.nextOffset == 7)
        }
    }

    @Test("does not acknowledge a duplicate if the sync of the first one fails")
    func duplicateFails() throws {
        try withLog { owner, partition in
            let answers = Answers()
            partition.append(batch(sequence: 0), completion: answers.completion("first"))
            partition.append(batch(sequence: 0), completion: answers.completion("again"))
            owner.appendAll(now: now)
            disk.faults.sync = .onCall(1)
            let ticket = try #require(try owner.replica.beginSync())
            owner.end(ticket, now: now)
            #expect(answers.names == ["first", "again"])
            #expect(answers.fault("first") != nil)
            #expect(answers.fault("again") != nil)
        }
    }

    @Test("tells each batch of one write what became of it")
    func refusals() throws {
        try withLog(.os) { owner, partition in
            let answers = Answers()
            partition.append(batch(sequence: 0, epoch: 1), completion: answers.completion("first"))
            partition.append(batch(sequence: 4, epoch: 1), completion: answers.completion("gap"))
            partition.append(batch(sequence: 2), completion: answers.completion("stale"))
            partition.append(batch(sequence: 2, epoch: 1), completion: answers.completion("next"))
            owner.appendAll(now: now)
            #expect(try answers["first"]?.get().baseOffset == 0)
            #expect(try answers["next"]?.get().baseOffset == 2)
            for (name, code) in [
                ("gap", ErrorCode.outOfOrderSequence), ("stale", .invalidProducerEpoch),
            ] {
                let fault = try #require(answers.fault(name))
                #expect(fault.code == code)
                #expect(fault.message.hasPrefix("logs-0: "))
            }
        }
    }
}

/// What the log thread does, without a thread.
extension PartitionLog {
    /// Has the replica lead its group of one, with its no-op committed.
    fileprivate func lead(now: Timestamp) throws {
        var outputs: [ReplicaOutput] = []
        replica.campaign(now: now, into: &outputs)
        for output in outputs {
            guard case .saveHardState(_, let version) = output else { continue }
            var next: [ReplicaOutput] = []
            replica.hardStateSaved(version: version, now: now, into: &next)
        }
        if let ticket = try replica.beginSync() { end(ticket, now: now) }
        publish()
        #expect(replica.isReady)
    }

    fileprivate func appendAll(now: Timestamp) {
        var outputs: [ReplicaOutput] = []
        _ = appendWaiting(now: now, into: &outputs)
    }

    fileprivate func end(_ ticket: SyncTicket, now: Timestamp) {
        var outputs: [ReplicaOutput] = []
        replica.endSync(ticket, ticket.run(), now: now, into: &outputs)
        publish()
    }
}
