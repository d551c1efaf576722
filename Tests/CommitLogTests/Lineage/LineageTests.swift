// SPDX-License-Identifier: Apache-2.0

import Bytes
import Disk
import Records
import SimulatedDisk
import Testing

@testable import CommitLog

@Suite("Lineage")
struct LineageTests {
    private let now = ReplicaHarness.now

    @Test("is read back from its bytes, and from no others")
    func bytes() throws {
        var lineage = Lineage()
        for term in 1...5 as ClosedRange<UInt64> {
            lineage.note(
                term: Term(term * 3), index: LogIndex(term * 10), offset: Offset(Int64(term) * 8))
        }
        lineage.noteConfiguration([1, 2, 3], at: LogIndex(4))
        lineage.noteConfiguration([], at: LogIndex(40))
        let bytes = lineage.encoded
        #expect(Lineage(bytes[...]) == lineage)
        for count in 0..<bytes.count { #expect(Lineage(bytes[..<count]) == nil) }
        #expect(Lineage((bytes + [0])[...]) == nil)
        var generator = SplitMix64(seed: 1)
        for _ in 0..<2000 {
            // Whatever the bytes say, nothing traps.
            var other = bytes
            for _ in 0..<3 {
                other[Int.random(in: 0..<24, using: &generator)] =
                    UInt8.random(in: 0...255, using: &generator)
            }
            _ = Lineage(other[...])
        }
    }

    @Test("knows the term of each entry, and keeps the last terms")
    func terms() {
        var lineage = Lineage()
        let count = UInt64(Lineage.termsMax + 100)
        for term in 1...count {
            lineage.note(term: Term(term), index: LogIndex(term * 2), offset: .zero)
            lineage.note(term: Term(term), index: LogIndex(term * 2 + 1), offset: .zero)
        }
        #expect(lineage.terms.count == Lineage.termsMax)
        #expect(lineage.lastTerm == Term(count))
        #expect(lineage.term(at: LogIndex(count * 2)) == Term(count))
        #expect(lineage.term(at: LogIndex(count * 2 - 1)) == Term(count - 1))
        #expect(lineage.term(at: LogIndex(5)) == nil, "forgotten")
        #expect(Lineage(lineage.encoded[...]) == lineage)
        lineage.checkInvariants(nextIndex: LogIndex(count * 2 + 2), nextOffset: .zero)
    }

    @Test("survives retention, without its file")
    func retention() throws {
        let harness = try ReplicaHarness { $0.segmentSizeMax = 600 }
        harness.log.beginTerm(Term(1))
        _ = try harness.log.appendControl(.configuration, payload: [1], now: now)
        try harness.lead(2, 0..<10)
        _ = try harness.log.appendControl(.configuration, payload: [2], now: now)
        try harness.lead(4, 10..<40)
        try harness.log.sync()
        harness.log.commit(upTo: harness.log.lastIndex)
        try harness.log.deleteRecords(before: Offset(30))
        try harness.log.sync()
        let removal = try #require(harness.log.takeRemoval())
        try removal.run().get()
        let first = harness.log.firstIndex
        #expect(first > LogIndex(20))
        #expect(harness.log.startTerm == Term(4))
        let lineage = harness.log.lineage
        #expect(lineage.terms.map(\.term) == [Term(1), Term(2), Term(4)])
        #expect(lineage.configurations.map(\.payload) == [[1], [2]])
        for losesFile in [false, true] {
            let copy = ReplicaHarness(harness)
            if losesFile {
                try copy.disk.remove(LogHarness.directory + "/" + LineageRecovery.name)
            }
            let again = try copy.reopened { $0.segmentSizeMax = 600 }
            #expect(again.log.lineage == lineage)
            #expect(again.log.firstIndex == first)
            #expect(again.log.startTerm == Term(4))
            #expect(again.log.commitIndex >= first.previous)
            #expect(again.log.highWatermark >= Offset(30))
        }
    }

    @Test("that is damaged, or another's, is looked past")
    func damagedFile() throws {
        let harness = try ReplicaHarness { $0.segmentSizeMax = 600 }
        try harness.lead(2, 0..<30)
        try harness.lead(3, 30..<40)
        let lineage = harness.log.lineage
        try harness.log.close()
        let path = LogHarness.directory + "/" + LineageRecovery.name
        let size = try #require(harness.disk.contents(path)).count
        for place in 0..<size {
            let copy = harness.disk.copy(seed: 1)
            copy.flipBit(path, at: place)
            let again = try ReplicaHarness(disk: copy, seed: 9) { $0.segmentSizeMax = 600 }
            #expect(again.log.lineage == lineage)
        }
    }

    @Test("of a log from before there were heads is found by its terms")
    func oldLog() throws {
        let disk = SimulatedFileSystem()
        var next = 0
        // Each life of such a log has a term.
        for life in 0..<6 {
            let old = try LogHarness(disk: disk, seed: UInt64(life)) { $0.segmentSizeMax = 700 }
            try old.append(next..<(next + 5 + life))
            next += 5 + life
            try old.log.close()
        }
        let again = try ReplicaHarness(disk: disk, seed: 77) { $0.segmentSizeMax = 700 }
        let starts = again.log.lineage.terms
        #expect(starts.count == 6)
        for entry in zip(1..., try again.entries()) {
            let index = LogIndex(UInt64(entry.0))
            #expect(again.log.term(at: index) == entry.1.term)
        }
        #expect(again.log.highWatermark == .zero)
        try again.lead(50, next..<(next + 20))
        try again.log.sync()
        let lineage = again.log.lineage
        let entries = try again.entries()
        disk.crashKeepingCache()
        let last = try again.reopened { $0.segmentSizeMax = 700 }
        #expect(last.log.lineage == lineage)
        try last.log.truncate(after: LogIndex(12))
        #expect(last.log.lineage.terms == starts.filter { $0.index <= LogIndex(12) })
        #expect(try last.entries() == Array(entries.prefix(12)))
    }
}
