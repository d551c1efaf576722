// SPDX-License-Identifier: Apache-2.0

import Disk
import Records
import SimulatedDisk
import Testing

@testable import CommitLog

/// Power cuts at every step of what changes more than one file.
@Suite("A power cut in the midst of a replica's")
struct ReplicaCrashTests {
    private let now = ReplicaHarness.now

    /// A log of many segments, all synced, with a checkpoint that vouches for all of them.
    private func filled(seed: UInt64) throws -> ReplicaHarness {
        let disk = SimulatedFileSystem(seed: seed)
        try disk.createDirectory(LogHarness.directory)
        try disk.syncDirectory("/")
        let harness = try ReplicaHarness(disk: disk) {
            $0.segmentSizeMax = 600
            $0.checkpointInterval = 1
        }
        try harness.lead(1, 0..<10)
        _ = try harness.log.appendControl(.configuration, payload: [1, 2], now: now)
        // Frames that say of others that they were durable.
        for number in 10..<20 {
            try harness.lead(2, number..<(number + 1))
            try harness.log.sync()
        }
        harness.log.commit(upTo: LogIndex(4))
        return harness
    }

    @Test("truncation leaves a log that opens, with a part of what was cut", arguments: 1...50)
    func truncation(step: Int) throws {
        for seed in 0..<6 as Range<UInt64> {
            let harness = try filled(seed: seed)
            let entries = try harness.entries()
            harness.disk.crashAfter(calls: step)
            let isDone: Bool
            do {
                try harness.log.truncate(after: LogIndex(9))
                isDone = true
            } catch {
                isDone = false
                #expect(harness.log.failure != nil)
            }
            harness.disk.crash()
            let again = try harness.reopened { $0.segmentSizeMax = 600 }
            #expect(again.log.recovery.damages.isEmpty, "seed \(seed)")
            let found = try again.entries()
            #expect(found == Array(entries.prefix(found.count)))
            #expect(isDone ? found.count == 9 : found.count >= 9, "seed \(seed)")
            try again.lead(7, Int(again.log.nextOffset.rawValue)..<40)
            try again.log.sync()
            again.log.checkInvariants()
        }
    }

    @Test("truncation beside a sync leaves no checkpoint that says too much", arguments: 1...30)
    func truncationBesideSync(step: Int) throws {
        for seed in 0..<8 as Range<UInt64> {
            let harness = try filled(seed: seed)
            try harness.log.truncate(after: LogIndex(16))
            try harness.lead(5, Int(harness.log.nextOffset.rawValue)..<30)
            // It has a checkpoint to write, and is not run in time.
            let ticket = try #require(try harness.log.beginSync())
            let entries = try harness.entries()
            harness.disk.crashAfter(calls: step)
            do {
                try harness.log.truncate(after: LogIndex(12))
                if seed % 2 == 0 { _ = ticket.run() }
            } catch {
                #expect(harness.log.failure != nil)
            }
            harness.disk.crash()
            let again = try harness.reopened { $0.segmentSizeMax = 600 }
            #expect(again.log.recovery.damages.isEmpty, "seed \(seed)")
            let found = try again.entries()
            #expect(found == Array(entries.prefix(found.count)))
            #expect(found.count >= 12)
        }
    }

    @Test("truncation takes all the steps that are cut here")
    func truncationSteps() throws {
        let harness = try filled(seed: 0)
        let before = harness.disk.mutatingCalls
        try harness.log.truncate(after: LogIndex(9))
        #expect(harness.disk.mutatingCalls - before < 50)
        #expect(harness.disk.mutatingCalls - before > 10)
    }

    @Test("reset leaves the old log or the new one", arguments: 1...76)
    func reset(step: Int) throws {
        for seed in 0..<6 as Range<UInt64> {
            let harness = try filled(seed: seed)
            let entries = try harness.entries()
            harness.disk.crashAfter(calls: step)
            var isDone = false
            do {
                try harness.log.reset(
                    after: LogIndex(500), term: Term(9), offset: Offset(400),
                    configuration: [5], now: now)
                isDone = true
            } catch {
                #expect(harness.log.failure != nil)
            }
            harness.disk.crash()
            // The next start may be cut off as well.
            harness.disk.crashAfter(calls: 1 + step % 5)
            _ = try? harness.reopened(seed: 5) { $0.segmentSizeMax = 600 }
            harness.disk.crash()
            let again = try harness.reopened { $0.segmentSizeMax = 600 }
            #expect(again.log.recovery.damages.isEmpty, "seed \(seed)")
            if again.log.firstIndex == LogIndex(501) {
                #expect(again.log.lastIndex == LogIndex(500))
                #expect(again.log.startTerm == Term(9))
                #expect(again.log.logStartOffset == Offset(400))
                #expect(again.log.highWatermark == Offset(400))
                #expect(again.log.lineage.configurations.map(\.payload) == [[5]])
            } else {
                #expect(!isDone, "seed \(seed)")
                #expect(try again.entries() == entries)
            }
            #expect(
                try harness.disk.list(LogHarness.directory).allSatisfy { !$0.hasPrefix("reset") })
            try again.lead(
                12, Int(again.log.nextOffset.rawValue)..<Int(again.log.nextOffset.rawValue + 9))
            try again.log.sync()
            again.log.checkInvariants()
        }
    }

    @Test("reset takes all the steps that are cut here")
    func resetSteps() throws {
        let harness = try filled(seed: 0)
        let before = harness.disk.mutatingCalls
        try harness.log.reset(
            after: LogIndex(500), term: Term(9), offset: Offset(400), configuration: [], now: now)
        #expect(harness.disk.mutatingCalls - before < 76)
    }

    @Test("producers are not taken from entries that were taken back")
    func staleProducers() throws {
        let harness = try ReplicaHarness()
        try harness.lead(1, 0..<2)
        try harness.log.sync()
        let result = harness.log.append([ProducerHarness.batch(sequence: 0)], now: now)
        #expect(result.outcomes == [.appended(Offset(2))])
        harness.log.configureCheckpoint()
        let ticket = try #require(try harness.log.beginSync())
        try harness.log.truncate(after: LogIndex(3))
        try harness.lead(2, 2..<9)
        // It writes what it was begun with, and the process ends.
        _ = ticket.run()
        harness.disk.crashKeepingCache()
        let again = try harness.reopened()
        #expect(again.log.lastTerm == Term(2))
        again.log.beginTerm(Term(3))
        let sent = again.log.append([ProducerHarness.batch(sequence: 0)], now: now)
        #expect(sent.outcomes == [.appended(Offset(9))])
    }

    @Test("append without room changes nothing")
    func diskFull() throws {
        let leader = try ReplicaHarness()
        try leader.lead(4, 0..<30, size: 2000)
        let entries = try leader.entries()
        let follower = try ReplicaHarness(seed: 2) { $0.segmentSizeMax = 8000 }
        try follower.log.append(replicated: entries[..<3], now: now)
        try follower.log.sync()
        for room in stride(from: 0, through: 30_000, by: 1500) as StrideThrough<UInt64> {
            let harness = ReplicaHarness(follower)
            let before = try harness.entries()
            harness.disk.faults.capacity = harness.disk.usedSpace + room
            do {
                try harness.log.append(replicated: entries[3..<14], now: now)
                #expect(try harness.entries() == Array(entries[..<14]))
            } catch {
                guard case .diskFull = error as? LogError else { throw error }
                #expect(harness.log.lastIndex == LogIndex(3))
                #expect(try harness.entries() == before)
                harness.disk.faults.capacity = .max
                try harness.log.append(replicated: entries[3..<14], now: now)
                #expect(try harness.entries() == Array(entries[..<14]))
            }
            harness.log.checkInvariants()
        }
    }

    @Test("reset without room changes nothing")
    func resetWithoutRoom() throws {
        let harness = try filled(seed: 1)
        let entries = try harness.entries()
        for room in [0, 100, 300, 1000] as [UInt64] {
            harness.disk.faults.capacity = harness.disk.usedSpace + room
            #expect(throws: LogError.self) {
                try harness.log.reset(
                    after: LogIndex(500), term: Term(9), offset: Offset(400),
                    configuration: [5], now: now)
            }
            #expect(try harness.entries() == entries)
        }
        harness.disk.faults.capacity = .max
        try harness.log.reset(
            after: LogIndex(500), term: Term(9), offset: Offset(400), configuration: [5], now: now)
        #expect(harness.log.lastIndex == LogIndex(500))
    }

    @Test("sync that began before a truncation counts for nothing behind the cut")
    func staleTicket() throws {
        let harness = try ReplicaHarness()
        try harness.lead(1, 0..<10)
        let ticket = try #require(try harness.log.beginSync())
        try harness.log.truncate(after: LogIndex(3))
        try harness.lead(2, 2..<9)
        harness.log.endSync(ticket, ticket.run())
        #expect(ticket.truncationCount < harness.log.truncationCount)
        #expect(harness.log.syncedIndex == LogIndex(3))
        try harness.log.sync()
        #expect(harness.log.syncedIndex == harness.log.lastIndex)
    }
}

extension Log {
    /// Has the next sync write a checkpoint.
    fileprivate func configureCheckpoint() { checkpointIsDue = true }
}

extension ReplicaHarness {
    /// The same log on a copy of the disk.
    init(_ other: ReplicaHarness) {
        disk = other.disk.copy(seed: 3)
        // The settings are those of a log that opened before.
        guard
            let opened = try? Log(
                directory: LogHarness.directory, group: LogHarness.group, on: disk,
                settings: other.log.settings, now: Self.now, seed: 7)
        else { preconditionFailure("a copy of a log does not open") }
        log = opened
    }
}
