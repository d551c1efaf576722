// SPDX-License-Identifier: Apache-2.0

import Bytes
import Replication
import Testing

/// Which files go into which round of syncs.
@Suite("The scheduler of syncs")
struct SyncSchedulerTests {
    private func log(_ number: Int) -> SyncScheduler.Target {
        .log(GroupID(high: 0, low: 0, partition: UInt32(number)))
    }

    private func begin(_ scheduler: inout SyncScheduler) -> [SyncScheduler.Target]? {
        scheduler.beginRound()?.targets
    }

    private func ends(_ scheduler: inout SyncScheduler, _ number: Int) -> Bool {
        scheduler.end(log(number))
    }

    @Test("begins at once on an idle disk, and has one round in flight at most")
    func oneRound() {
        var scheduler = SyncScheduler()
        #expect(begin(&scheduler) == nil)
        scheduler.markDirty(log(1))
        #expect(begin(&scheduler) == [log(1)])
        scheduler.markDirty(log(2))
        scheduler.markDirty(log(3))
        #expect(begin(&scheduler) == nil)
        #expect(ends(&scheduler, 1))
        #expect(begin(&scheduler) == [log(2), log(3)])
    }

    @Test("syncs again what got dirty while it was being synced")
    func dirtyAgain() {
        var scheduler = SyncScheduler()
        scheduler.markDirty(log(1))
        _ = scheduler.beginRound()
        scheduler.markDirty(log(1))
        scheduler.markDirty(log(1))
        #expect(ends(&scheduler, 1))
        #expect(begin(&scheduler) == [log(1)])
        #expect(ends(&scheduler, 1))
        #expect(!scheduler.hasWork)
    }

    @Test("puts the journal first")
    func journalFirst() {
        var scheduler = SyncScheduler(roundMax: 2)
        for number in 1...3 { scheduler.markDirty(log(number)) }
        scheduler.markDirty(.journal)
        #expect(begin(&scheduler) == [.journal, log(1)])
    }

    @Test("has a round end with its last target, in whatever order")
    func ends() {
        var scheduler = SyncScheduler()
        for number in 1...3 { scheduler.markDirty(log(number)) }
        _ = scheduler.beginRound()
        #expect(!ends(&scheduler, 2))
        #expect(!ends(&scheduler, 3))
        #expect(scheduler.isBusy)
        #expect(ends(&scheduler, 1))
    }

    @Test("has the whole file system synced ahead from sixteen files on", arguments: 1...20)
    func wide(count: Int) throws {
        var scheduler = SyncScheduler()
        for number in 0..<count { scheduler.markDirty(log(number)) }
        let begun = scheduler.beginRound()
        let round = try #require(begun)
        #expect(round.isWide == (count >= SyncScheduler.wideCount))
        #expect(round.targets.count == count)
    }

    @Test("lets no log wait longer than for those that were dirty before it")
    func fairness() {
        var scheduler = SyncScheduler(roundMax: 4)
        var random = SplitMix64(seed: 3)
        var rounds = 0
        var since: [Int: Int] = [:]
        for _ in 0..<2000 {
            // Two logs are always dirty, the others now and then.
            for number in [0, 1] + [Int.random(in: 2..<12, using: &random)] {
                scheduler.markDirty(log(number))
                if since[number] == nil { since[number] = rounds }
            }
            guard let round = scheduler.beginRound() else { continue }
            rounds += 1
            #expect(round.targets.count <= 4)
            for target in round.targets {
                for number in 0..<12 where log(number) == target {
                    // Eleven others at most are before it, four a round.
                    #expect(rounds - (since[number] ?? 0) <= 4)
                    since[number] = nil
                }
                scheduler.end(target)
            }
        }
    }

    @Test("forgets a log that is gone")
    func removal() {
        var scheduler = SyncScheduler()
        scheduler.markDirty(log(1))
        scheduler.markDirty(log(2))
        scheduler.remove(log(1))
        scheduler.remove(log(9))
        #expect(begin(&scheduler) == [log(2)])
        scheduler.remove(log(2))
        #expect(ends(&scheduler, 2))
    }
}
