// SPDX-License-Identifier: Apache-2.0

import Disk
import Records
import SimulatedDisk
import Testing

@testable import CommitLog

@Suite("Idempotent producers")
struct ProducerTests {
    private let now = ProducerHarness.now

    private func batch(
        _ producer: Int64 = 7, epoch: Int16 = 0, sequence: Int32, count: Int = 1
    ) -> BatchBuffer {
        ProducerHarness.batch(producer, epoch: epoch, sequence: sequence, count: count)
    }

    @Test("a batch that comes again is not appended again, and gets its first offset")
    func duplicate() throws {
        let harness = try LogHarness()
        #expect(harness.appendProduced(batch(sequence: 0, count: 3)) == [.appended(0)])
        #expect(harness.appendProduced(batch(sequence: 3)) == [.appended(3)])
        #expect(harness.appendProduced(batch(sequence: 0, count: 3)) == [.duplicate(0)])
        #expect(harness.appendProduced(batch(sequence: 3)) == [.duplicate(3)])
        #expect(harness.log.nextOffset == 4)
        #expect(harness.log.nextIndex == LogIndex(3))
    }

    @Test("a batch with the first sequence number of another and more records is no duplicate")
    func otherLength() throws {
        let harness = try LogHarness()
        _ = harness.appendProduced(batch(sequence: 0, count: 3))
        #expect(
            harness.appendProduced(batch(sequence: 0, count: 4)) == [.gap(expected: 3, received: 0)]
        )
    }

    @Test("batches that come together are judged by each other")
    func together() throws {
        let harness = try LogHarness()
        let outcomes = harness.appendProduced(
            batch(sequence: 0), batch(sequence: 1), batch(sequence: 0), batch(sequence: 3),
            batch(8, sequence: 40), LogHarness.batch(0, count: 2), batch(sequence: 2))
        #expect(
            outcomes == [
                .appended(0), .appended(1), .duplicate(0), .gap(expected: 2, received: 3),
                .appended(2), .appended(3), .appended(5),
            ])
        #expect(harness.log.nextOffset == 6)
    }

    @Test("a gap is refused, and what fills it is taken")
    func gap() throws {
        let harness = try LogHarness()
        _ = harness.appendProduced(batch(sequence: 0, count: 10))
        let next = batch(sequence: 11)
        #expect(harness.appendProduced(next) == [.gap(expected: 10, received: 11)])
        #expect(harness.appendProduced(batch(sequence: 10)) == [.appended(10)])
        #expect(harness.appendProduced(batch(sequence: 11)) == [.appended(11)])
    }

    @Test("five batches are remembered, and an older one is out of order")
    func window() throws {
        let harness = try LogHarness()
        for sequence in Int32(0)..<6 { _ = harness.appendProduced(batch(sequence: sequence)) }
        for sequence in Int32(1)..<6 {
            #expect(
                harness.appendProduced(batch(sequence: sequence))
                    == [.duplicate(Offset(Int64(sequence)))])
        }
        #expect(harness.appendProduced(batch(sequence: 0)) == [.gap(expected: 6, received: 0)])
    }

    @Test("behind 2^31 - 1 sequence numbers go on with 0, within a batch too")
    func wrapAround() throws {
        let harness = try LogHarness()
        #expect(harness.appendProduced(batch(sequence: .max - 1, count: 4)) == [.appended(0)])
        #expect(harness.appendProduced(batch(sequence: 3)) == [.gap(expected: 2, received: 3)])
        #expect(harness.appendProduced(batch(sequence: 2)) == [.appended(4)])
        #expect(harness.appendProduced(batch(sequence: .max - 1, count: 4)) == [.duplicate(0)])
        let other = try LogHarness()
        #expect(other.appendProduced(batch(sequence: .max)) == [.appended(0)])
        #expect(other.appendProduced(batch(sequence: .max)) == [.duplicate(0)])
        #expect(other.appendProduced(batch(sequence: 0)) == [.appended(1)])
    }

    @Test("a newer epoch begins with 0, and older ones are fenced")
    func epochs() throws {
        let harness = try LogHarness()
        _ = harness.appendProduced(batch(sequence: 5))
        #expect(
            harness.appendProduced(batch(epoch: 1, sequence: 6)) == [.gap(expected: 0, received: 6)]
        )
        #expect(harness.appendProduced(batch(epoch: 1, sequence: 0)) == [.appended(1)])
        // One of the window before is no duplicate any more.
        for sequence in [Int32(5), 6, 0] {
            #expect(
                harness.appendProduced(batch(epoch: 0, sequence: sequence))
                    == [.refused(.staleEpoch(current: 1, received: 0))])
        }
        #expect(harness.appendProduced(batch(epoch: 1, sequence: 0)) == [.duplicate(1)])
    }

    @Test("a producer that is not known may begin with any sequence number and epoch")
    func unknown() throws {
        let harness = try LogHarness()
        #expect(harness.appendProduced(batch(1, epoch: 9, sequence: 77)) == [.appended(0)])
        #expect(harness.appendProduced(batch(2, sequence: .max)) == [.appended(1)])
    }

    @Test("what a full disk refused can be sent again, and nothing else is forgotten")
    func fullDisk() throws {
        let harness = try LogHarness { $0.segmentSizeMax = 1 << 20 }
        let log = harness.log
        for sequence in Int32(0)..<5 { _ = harness.appendProduced(batch(sequence: sequence)) }
        harness.disk.faults.capacity = harness.disk.usedSpace + 100
        // More than a window of the one, a new epoch of another, and one that was not known.
        _ = harness.appendProduced(batch(8, sequence: 3))
        var many: [BatchBuffer] = (5..<12).map { batch(sequence: Int32($0), count: 100) }
        many += [batch(8, epoch: 1, sequence: 0, count: 100), batch(9, sequence: 70, count: 100)]
        let failed = log.append(many, now: now)
        #expect(failed.outcomes.isEmpty)
        guard case .diskFull? = failed.failure else {
            Issue.record("expected a full disk, got \(String(describing: failed.failure))")
            return
        }
        log.checkInvariants()
        harness.disk.faults.capacity = 1 << 40
        for sequence in Int32(0)..<5 {
            #expect(
                harness.appendProduced(batch(sequence: sequence))
                    == [.duplicate(Offset(Int64(sequence)))])
        }
        #expect(harness.appendProduced(batch(sequence: 12)) == [.gap(expected: 5, received: 12)])
        #expect(harness.appendProduced(batch(9, sequence: 5)).first.map(\.isAppended) == true)
        #expect(harness.appendProduced(batch(8, sequence: 3)).first.map(\.isAppended) != nil)
        #expect(harness.appendProduced(batch(sequence: 5, count: 100)).first?.isAppended == true)
        log.checkInvariants()
    }

    @Test("outcomes of a write that failed are taken back, those before it stand")
    func failedSecondWrite() throws {
        let harness = try LogHarness { $0.segmentSizeMax = 4096 }
        harness.disk.faults.capacity = harness.disk.usedSpace + 4500
        let result = harness.log.append(
            (0..<6).map { batch(sequence: Int32($0 * 100), count: 100) }, now: now)
        #expect(result.failure != nil)
        #expect(!result.outcomes.isEmpty && result.outcomes.count < 6)
        let end = Int32(harness.log.nextOffset.rawValue)
        harness.disk.faults.capacity = 1 << 40
        #expect(harness.appendProduced(batch(sequence: end, count: 100)).first?.isAppended == true)
    }

    @Test("who appends nothing for a week is forgotten, and nobody sooner")
    func expiry() throws {
        let harness = try LogHarness()
        let week = ProducerHarness.week
        _ = harness.appendProduced(batch(1, sequence: 0), batch(2, sequence: 0))
        let later = Timestamp(milliseconds: now.rawValue + week)
        #expect(
            harness.appendProduced(batch(1, sequence: 5), at: later)
                == [.gap(expected: 1, received: 5)])
        #expect(harness.appendProduced(batch(1, sequence: 1), at: later) == [.appended(2)])
        let latest = Timestamp(milliseconds: later.rawValue + 1)
        // The first is known for a week from its last batch on; the second has been forgotten.
        #expect(
            harness.appendProduced(batch(1, sequence: 5), at: latest)
                == [.gap(expected: 2, received: 5)])
        #expect(harness.appendProduced(batch(2, sequence: 9), at: latest) == [.appended(3)])
    }
}

extension Log.AppendOutcome {
    var isAppended: Bool {
        if case .appended = self { true } else { false }
    }
}
