// SPDX-License-Identifier: Apache-2.0

import CommitLog
import Disk
import Records
import SimulatedDisk
import Testing

/// A start after a failed sync with the page cache of before, which shows what no disk has.
@Suite("The tail after a failed sync")
struct TailRenewalTests {
    private let leftovers = ["rewrite.new", "checkpoint.new"]

    /// The disk of a log of ten records that were acknowledged and some whose sync failed.
    private func failedDisk(_ path: String = ".store", size: Int) throws -> SimulatedFileSystem {
        let harness = try LogHarness()
        try harness.append(0..<10)
        for number in 10..<20 {
            _ = harness.log.append(
                [LogHarness.batch(number, size: size)], now: Timestamp(milliseconds: 1_000_000))
        }
        var plan = FaultPlan()
        plan.sync = .onCall(1)
        plan.pathPart = path
        harness.disk.faults = plan
        #expect(throws: LogError.self) { try harness.log.sync() }
        harness.disk.crashKeepingCache()
        harness.disk.faults = FaultPlan()
        return harness.disk
    }

    @Test("outlasts a power cut once a start has shown it", arguments: [20, 700])
    func outlasts(size: Int) throws {
        let disk = try failedDisk(size: size)
        let second = try LogHarness(disk: disk, seed: 2)
        #expect(try second.numbers() == Array(0..<20))
        try second.append(20..<25)
        disk.crash()
        let third = try LogHarness(disk: disk, seed: 3)
        #expect(try third.numbers() == Array(0..<25))
        #expect(third.log.recovery.damages.isEmpty)
    }

    @Test("is there or was never shown, wherever the start is cut short", arguments: [20, 700])
    func cutShort(size: Int) throws {
        var call = 0
        var isWhole = false
        while !isWhole {
            call += 1
            for losesCache in [false, true] {
                let disk = try failedDisk(size: size)
                disk.crashAfter(calls: call)
                // Whether it opens is the question.
                isWhole = (try? LogHarness(disk: disk, seed: 2)) != nil && !disk.isStopped
                if losesCache { disk.crash() } else { disk.crashKeepingCache() }
                disk.crashAfter(calls: nil)
                let harness = try LogHarness(disk: disk, seed: 3)
                let numbers = try harness.numbers()
                #expect(numbers.starts(with: 0..<10) && numbers == Array(0..<numbers.count))
                #expect(!losesCache || !isWhole || numbers.count == 20)
                let names = try disk.list(LogHarness.directory)
                #expect(!names.contains { leftovers.contains($0) })
                #expect(harness.log.recovery.damages.isEmpty)
                try harness.append(numbers.count..<(numbers.count + 3))
                disk.crash()
                let last = try LogHarness(disk: disk, seed: 4)
                #expect(try last.numbers() == Array(0..<(numbers.count + 3)))
            }
        }
        #expect(call > 8)
    }

    @Test("needs room, and a start without it changes nothing")
    func needsRoom() throws {
        let disk = try failedDisk(size: 20)
        var plan = FaultPlan()
        plan.capacity = disk.usedSpace + 100
        disk.faults = plan
        #expect(throws: LogError.self) { try LogHarness(disk: disk, seed: 2) }
        let names = try disk.list(LogHarness.directory)
        #expect(!names.contains { leftovers.contains($0) })
        disk.faults = FaultPlan()
        #expect(try LogHarness(disk: disk, seed: 3).numbers() == Array(0..<20))
    }

    @Test("is written anew with the file of the checkpoints, whose first sync may have failed")
    func renewsCheckpoint() throws {
        let disk = SimulatedFileSystem()
        var plan = FaultPlan()
        plan.sync = .onCall(1)
        plan.pathPart = "checkpoint"
        disk.faults = plan
        #expect(throws: LogError.self) { try LogHarness(disk: disk) }
        disk.crashKeepingCache()
        disk.faults = FaultPlan()
        let second = try LogHarness(disk: disk, seed: 2)
        try second.append(0..<5)
        disk.crash()
        let third = try LogHarness(disk: disk, seed: 3)
        #expect(!third.log.recovery.checkpointWasLost)
        #expect(try third.numbers() == Array(0..<5))
    }
}
