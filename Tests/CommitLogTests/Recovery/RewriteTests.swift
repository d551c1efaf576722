// SPDX-License-Identifier: Apache-2.0

import Bytes
import CommitLog
import Disk
import Foundation
import Records
import SimulatedDisk
import Testing

/// Damage of a replica's log: it is named, nothing is cut, and others' entries mend it.
@Suite("Damaged entries of a replica")
struct RewriteTests {
    private let now = ReplicaHarness.now

    /// A synced log whose process ended; without its checkpoint, so that all of it is read.
    private func killed(
        segmentSizeMax: Int = 1 << 20, keepingCheckpoint: Bool = false
    ) throws -> (ReplicaHarness, [LogEntry]) {
        let harness = try ReplicaHarness { $0.segmentSizeMax = segmentSizeMax }
        try harness.lead(3, 0..<20)
        try harness.log.sync()
        try harness.append(20..<30)
        try harness.log.sync()
        try harness.log.markIdle()
        let entries = try harness.entries()
        harness.disk.crashKeepingCache()
        if !keepingCheckpoint {
            try harness.disk.remove(LogHarness.directory + "/checkpoint")
        }
        return (harness, entries)
    }

    /// Where a record's text lies in a file.
    private func position(_ number: Int, in disk: SimulatedFileSystem) throws -> Int {
        let text = Array("record \(number) ".utf8)
        let content = try #require(disk.contents(LogHarness.store(0)))
        return try #require((0..<content.count).first { content[$0...].starts(with: text) })
    }

    @Test("are named, are not cut, and stop nothing else")
    func flippedBit() throws {
        let (harness, entries) = try killed()
        let place = try position(12, in: harness.disk)
        harness.disk.flipBit(LogHarness.store(0), at: place)
        let again = try harness.reopened()
        #expect(!again.log.isReadOnly)
        #expect(
            again.log.damagedEntries
                == [.init(first: LogIndex(14), last: LogIndex(14), termsAreKnown: true)])
        #expect(again.log.lastIndex == LogIndex(31))
        #expect(again.log.term(at: LogIndex(14)) == Term(3))
        #expect(throws: LogError.self) {
            try again.log.entryReader().read(
                from: LogIndex(14), through: LogIndex(20), bytesMax: 1 << 20)
        }
        #expect(try again.entries(from: LogIndex(15)) == Array(entries[14...]))
        again.log.commit(upTo: again.log.lastIndex)
        #expect(throws: LogError.self) { try again.numbers() }
        try again.lead(4, 30..<35)
        try again.log.sync()
        #expect(again.log.syncedIndex == again.log.lastIndex)
        // It is found again for as long as it is there.
        again.disk.crash()
        let third = try again.reopened()
        #expect(third.log.damagedEntries == again.log.damagedEntries)
        try third.log.rewrite(entries[13], at: LogIndex(14))
        #expect(third.log.damagedEntries.isEmpty)
        third.log.commit(upTo: third.log.lastIndex)
        #expect(try third.numbers() == Array(0..<35))
        third.disk.crash()
        let last = try third.reopened()
        #expect(last.log.recovery.damages.isEmpty)
        #expect(try Array(last.entries().prefix(31)) == entries)
        #expect(last.log.lineage == third.log.lineage)
    }

    @Test("are on the disk once they are written anew", arguments: 0..<12 as Range<UInt64>)
    func durable(seed: UInt64) throws {
        let (harness, entries) = try killed()
        harness.disk.flipBit(LogHarness.store(0), at: try position(12, in: harness.disk))
        let copy = harness.disk.copy(seed: seed)
        let again = try ReplicaHarness(disk: copy, seed: 3)
        try again.log.rewrite(entries[13], at: LogIndex(14))
        copy.crash()
        let last = try again.reopened()
        #expect(last.log.damagedEntries.isEmpty)
        #expect(try last.entries() == entries)
    }

    @Test("stop a log of which nobody else has a copy")
    func nobodyElse() throws {
        let (harness, _) = try killed()
        harness.disk.flipBit(LogHarness.store(0), at: try position(12, in: harness.disk))
        let before = harness.disk.contents(LogHarness.store(0))
        let again = try harness.reopened { $0.isMended = false }
        #expect(again.log.isReadOnly)
        #expect(again.log.recovery.damages.map(\.offsets) == [12..<13])
        #expect(again.log.damagedEntries.map(\.termsAreKnown) == [false])
        #expect(throws: LogError.self) { try again.lead(9, 30..<31) }
        #expect(harness.disk.contents(LogHarness.store(0)) == before, "nothing was changed")
        // It can be begun anew, as a replica that has nothing.
        try again.log.reset(
            after: LogIndex(40), term: Term(8), offset: Offset(35), configuration: [1], now: now)
        #expect(!again.log.isReadOnly)
        #expect(again.log.damagedEntries.isEmpty)
        try again.lead(9, 35..<37)
        try again.log.sync()
    }

    @Test("at the end of the log have a place when entries follow them already")
    func lostTail() throws {
        let (harness, entries) = try killed(keepingCheckpoint: true)
        let file = LogHarness.store(0)
        // All that a checkpoint vouches for and that lies behind the tenth record is gone.
        try harness.reopened().log.close()
        let place = try position(10, in: harness.disk)
        harness.disk.truncate(file, to: place)
        let again = try harness.reopened()
        let damaged = again.log.damagedEntries
        #expect(damaged.map(\.first) == [LogIndex(12)])
        #expect(damaged.map(\.last) == [LogIndex(31)])
        #expect(damaged.map(\.termsAreKnown) == [true])
        try again.lead(4, 30..<35)
        try again.log.sync()
        again.disk.crash()
        let third = try again.reopened()
        #expect(third.log.damagedEntries.map(\.first) == [LogIndex(12)])
        #expect(third.log.damagedEntries.map(\.last) == [LogIndex(31)])
        for index in 12...31 {
            try third.log.rewrite(entries[index - 1], at: LogIndex(UInt64(index)))
        }
        #expect(third.log.damagedEntries.isEmpty)
        #expect(try Array(third.entries().prefix(31)) == entries)
        third.log.commit(upTo: third.log.lastIndex)
        #expect(try third.numbers() == Array(0..<35))
        third.disk.crash()
        let last = try third.reopened()
        #expect(last.log.recovery.damages.isEmpty)
        #expect(try Array(last.entries().prefix(31)) == entries)
    }

    @Test("that another entry cannot be are not taken for it")
    func wrongEntry() throws {
        let (harness, entries) = try killed()
        let place = try position(12, in: harness.disk)
        harness.disk.flipBit(LogHarness.store(0), at: place)
        let again = try harness.reopened()
        #expect(throws: LogError.self) {
            try again.log.rewrite(entries[14], at: LogIndex(14))
        }
        try again.log.rewrite(entries[14], at: LogIndex(15))
        #expect(again.log.damagedEntries.count == 1, "what is sound is left alone")
    }

    @Test("are mended from any damage that can be placed", arguments: 0..<60 as Range<UInt64>)
    func anyDamage(number: UInt64) throws {
        let start = UInt64.random(in: 0..<1 << 40)
        let environment = ProcessInfo.processInfo.environment["SEED"].flatMap(UInt64.init)
        let seed = environment ?? start + number
        var generator = SplitMix64(seed: seed)
        var (harness, entries) = try killed(
            segmentSizeMax: Bool.random(using: &generator) ? 1 << 20 : 1500,
            keepingCheckpoint: Bool.random(using: &generator))
        let stores = try harness.disk.list(LogHarness.directory)
            .filter { $0.hasSuffix(".store") }.map { LogHarness.directory + "/" + $0 }
        for _ in 0...Int.random(in: 0...2, using: &generator) {
            let store = try #require(stores.randomElement(using: &generator))
            let size = try #require(harness.disk.contents(store)).count
            guard size > 400 else { continue }
            let low = Int.random(in: 100..<(size - 10), using: &generator)
            let high = min(size, low + Int.random(in: 1...500, using: &generator))
            harness.disk.mutate(store) { for place in low..<high { $0[place] ^= 0x55 } }
        }
        harness = try harness.reopened(seed: seed)
        #expect(harness.log.lastIndex <= LogIndex(31))
        guard !harness.log.isReadOnly else { return }
        // Damage that is below the checkpoint is found when it is read.
        let isFound = !harness.log.damagedEntries.isEmpty
        let count = harness.log.lastIndex
        try harness.lead(9, Int(harness.log.nextOffset.rawValue)..<40)
        entries = Array(entries.prefix(Int(count.rawValue)))
        var rounds = 0
        while let range = harness.log.damagedEntries.first {
            rounds += 1
            try #require(rounds < 200, "SEED=\(seed)")
            let entry = entries[Int(range.first.rawValue) - 1]
            if Bool.random(using: &generator) {
                harness.disk.crashAfter(calls: Int.random(in: 1...5, using: &generator))
            }
            do {
                try harness.log.rewrite(entry, at: range.first)
                harness.disk.crashAfter(calls: nil)
                if Int.random(in: 0..<5, using: &generator) == 0 { try harness.log.sync() }
            } catch {
                try #require(harness.disk.isStopped, "SEED=\(seed): \(error)")
                harness.disk.crash()
                harness = try harness.reopened(seed: seed ^ UInt64(rounds))
            }
            try #require(!harness.log.isReadOnly, "SEED=\(seed)")
            harness.log.checkInvariants()
        }
        guard isFound else { return }
        try harness.log.sync()
        harness.disk.crash()
        let last = try harness.reopened()
        #expect(last.log.recovery.damages.isEmpty, "SEED=\(seed)")
        #expect(last.log.lastIndex >= count, "SEED=\(seed)")
        let reader = last.log.entryReader()
        for (number, entry) in entries.enumerated() {
            let index = LogIndex(UInt64(number + 1))
            // What lay below the checkpoint is not mended.
            let found = try? reader.read(from: index, through: index, bytesMax: 1)
            #expect(found.map { $0 == [entry] } ?? true, "SEED=\(seed), entry \(index)")
        }
    }
}
