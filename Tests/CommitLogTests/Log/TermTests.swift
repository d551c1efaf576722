// SPDX-License-Identifier: Apache-2.0

import CommitLog
import Records
import SimulatedDisk
import Testing

@Suite("Terms along a log")
struct TermTests {
    /// A log of which each opening has its own term, with so many records appended under each.
    ///
    /// - Returns: The log, and the terms with the first offset of each.
    private func log(
        lives: [Int], size: Int = 20, _ change: (inout LogSettings) -> Void = { _ in }
    ) throws -> (LogHarness, [(term: Term, start: Int64)]) {
        let disk = SimulatedFileSystem()
        var terms: [(term: Term, start: Int64)] = []
        var next = 0
        var harness = try LogHarness(disk: disk, change)
        for (life, count) in lives.enumerated() {
            if life > 0 { harness = try LogHarness(disk: disk, seed: UInt64(life + 1), change) }
            if count > 0 { terms.append((harness.log.term, Int64(next))) }
            try harness.append(next..<(next + count), size: size)
            next += count
            if life < lives.count - 1 { try harness.log.close() }
        }
        return (harness, terms)
    }

    private func expectedTerm(_ terms: [(term: Term, start: Int64)], at offset: Int64) -> Term? {
        terms.last { $0.start <= offset }?.term
    }

    @Test("each offset has the term that its batch was appended under")
    func termOfOffset() throws {
        let (harness, terms) = try log(lives: [30, 1, 0, 77, 2])
        let snapshot = harness.log.snapshot
        #expect(snapshot.segmentCount > 2)
        for offset in 0..<110 as Range<Int64> {
            #expect(try snapshot.term(at: Offset(offset)) == expectedTerm(terms, at: offset))
        }
        #expect(try snapshot.term(at: Offset(110)) == nil)
        #expect(try snapshot.term(at: Offset(5000)) == nil)
    }

    @Test(
        "a term ends where the next one begins, whatever the segments",
        arguments: [4096, 1 << 20], [20, 500])
    func ends(segmentSize: Int, size: Int) throws {
        let (harness, terms) = try log(lives: [30, 1, 0, 177, 2, 50, 0], size: size) {
            $0.segmentSizeMax = segmentSize
        }
        let snapshot = harness.log.snapshot
        let last = try #require(terms.last).term.rawValue
        for number in 0..<(last + 4) {
            let end = try snapshot.endOffset(ofTerm: Term(number))
            let after = terms.first { $0.term > Term(number) }
            #expect(end.offset == Offset(after?.start ?? 260), "term \(number)")
            let found = terms.last { $0.term <= Term(number) }?.term
            #expect(end.term == found ?? Term(number), "term \(number)")
        }
    }

    @Test("an empty log ends each term where it begins")
    func empty() throws {
        let harness = try LogHarness()
        let end = try harness.log.snapshot.endOffset(ofTerm: Term(7))
        #expect(end.term == Term(7) && end.offset == .zero)
    }

    @Test("records that are not committed are in no term yet")
    func uncommitted() throws {
        let (harness, terms) = try log(lives: [3, 2])
        for number in 5..<300 {
            _ = harness.log.append([LogHarness.batch(number)], now: Timestamp(milliseconds: 1))
        }
        let snapshot = harness.log.snapshot
        #expect(snapshot.segmentCount > 2 && snapshot.highWatermark == Offset(5))
        let end = try snapshot.endOffset(ofTerm: terms[1].term)
        #expect(end.term == terms[1].term && end.offset == Offset(5))
        #expect(try snapshot.term(at: Offset(5)) == nil)
    }

    @Test("terms whose records are gone end where the log begins")
    func deleted() throws {
        let (harness, terms) = try log(lives: [100, 100])
        try harness.log.deleteRecords(before: Offset(150))
        let end = try harness.log.snapshot.endOffset(ofTerm: terms[0].term)
        #expect(end.offset == Offset(150))
        #expect(try harness.log.snapshot.term(at: Offset(149)) == nil)
        #expect(try harness.log.snapshot.term(at: Offset(150)) == terms[1].term)
    }

    @Test("indexes and damaged frames make the answer slower, not wrong")
    func withoutIndexes() throws {
        let (harness, terms) = try log(lives: [60, 90, 70])
        for path in try harness.files("index") { try harness.disk.remove(path) }
        // A frame in the middle of the first segment.
        harness.disk.mutate(LogHarness.store(0)) { $0[$0.count / 2] ^= 0xff }
        let snapshot = harness.log.snapshot
        for (number, term) in terms.enumerated() {
            let end = try snapshot.endOffset(ofTerm: term.term)
            #expect(end.term == term.term)
            #expect(end.offset == Offset(number < 2 ? terms[number + 1].start : 220))
        }
    }
}
