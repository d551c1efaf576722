// SPDX-License-Identifier: Apache-2.0

import Bytes
import ClusterCore
import CommitLog
import Disk
import Faults
import Records
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
        _ rule: LogSettings.CommitRule = .whenSynced,
        _ body: (PartitionLog, Partition) throws -> Void
    ) throws {
        let host = PartitionHost(settings: BrokerSettings(), clock: TestClock().clock)
        defer {
            host.readers.close()
            host.syncers.close()
        }
        try disk.createDirectory("/log")
        var settings = LogSettings()
        settings.commitRule = rule
        let log = try Log(
            directory: "/log", group: 1, on: disk, settings: settings, now: now, seed: 1)
        let partition = Partition(
            topic: "logs", number: 0, host: host, batchSizeMax: 1 << 20, onDamagedIndex: { _, _ in }
        )
        let owner = PartitionLog(
            partition: partition, log: log, durability: rule == .whenSynced ? .fsync : .os)
        owner.publish()
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
            _ = owner.appendWaiting(now: now)
            let ticket = try #require(try owner.log.beginSync())
            // Comes while the sync of the first one runs.
            partition.append(batch(sequence: 0), completion: answers.completion("again"))
            partition.append(batch(sequence: 2), completion: answers.completion("next"))
            _ = owner.appendWaiting(now: now)
            #expect(answers.names.isEmpty)
            owner.log.endSync(ticket, ticket.run())
            owner.publish()
            #expect(answers.names == ["plain", "first", "again"])
            #expect(try answers["first"]?.get().baseOffset == 3)
            #expect(try answers["first"]?.get().isDuplicate == false)
            #expect(try answers["again"]?.get().baseOffset == 3)
            #expect(try answers["again"]?.get().isDuplicate == true)
            try owner.log.sync()
            owner.publish()
            #expect(try answers["next"]?.get().baseOffset == 5)
            // One that is durable already is answered at once.
            partition.append(batch(sequence: 0), completion: answers.completion("late"))
            _ = owner.appendWaiting(now: now)
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
            _ = owner.appendWaiting(now: now)
            disk.faults.sync = .onCall(1)
            let ticket = try #require(try owner.log.beginSync())
            owner.log.endSync(ticket, ticket.run())
            owner.publish()
            #expect(answers.names == ["first", "again"])
            #expect(answers.fault("first") != nil)
            #expect(answers.fault("again") != nil)
        }
    }

    @Test("tells each batch of one write what became of it")
    func refusals() throws {
        try withLog(.whenWritten) { owner, partition in
            let answers = Answers()
            partition.append(batch(sequence: 0, epoch: 1), completion: answers.completion("first"))
            partition.append(batch(sequence: 4, epoch: 1), completion: answers.completion("gap"))
            partition.append(batch(sequence: 2), completion: answers.completion("stale"))
            partition.append(batch(sequence: 2, epoch: 1), completion: answers.completion("next"))
            _ = owner.appendWaiting(now: now)
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
