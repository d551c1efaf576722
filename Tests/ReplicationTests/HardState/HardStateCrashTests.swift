// SPDX-License-Identifier: Apache-2.0

import Disk
import Records
import Replication
import SimulatedDisk
import Testing

@Suite("The hard-state journal through crashes")
struct HardStateCrashTests {
    @Test(
        "a power cut in the midst of any call of a compaction leaves the old words or the new ones")
    func compactionAtEveryStep() throws {
        var reachedEnd = false
        var step = 1
        while !reachedEnd {
            for seed in 0..<6 as Range<UInt64> {
                let model = try JournalModel(seed: seed &* 1000 &+ UInt64(step), sizeMax: 1024)
                // Eight records of 128 bytes: the next sync writes the file anew.
                while model.journal.count < 8 {
                    #expect(model.append(1))
                    if model.journal.count < 7 { #expect(model.sync()) }
                }
                model.disk.crashAfter(calls: step)
                let isDone = model.sync(appending: 1, 1) && model.append(1) && model.sync()
                #expect(isDone == !model.disk.isStopped)
                reachedEnd = isDone
                model.disk.crash()
                #expect(try model.reopen() != nil, "step \(step), seed \(seed)")
            }
            step += 1
        }
        // A write, a sync, a rename, a directory's sync, and what is appended meanwhile, at least.
        #expect(step > 7)
    }

    @Test("a power cut in the midst of opening leaves what was there")
    func openingAtEveryStep() throws {
        for step in 1...12 {
            let model = try JournalModel(seed: UInt64(step))
            #expect(model.append(6) && model.sync())
            model.disk.crash()
            model.disk.crashAfter(calls: step)
            _ = try? HardStateJournal(directory: JournalModel.directory, on: model.disk)
            model.disk.crash()
            #expect(try model.reopen() == 6)
        }
    }

    @Test("a synced vote survives whatever happens", arguments: 0..<20 as Range<UInt64>)
    func property(round: UInt64) throws {
        for seed in (round * 15)..<((round + 1) * 15) {
            let model = try JournalModel(
                seed: seed, sizeMax: seed % 3 == 0 ? 1 << 20 : 1024,
                reserve: seed % 2 == 0 ? 0 : 1024)
            for _ in 0..<model.draw(1..<6) {
                if model.draw(0..<2) == 0 { model.disk.crashAfter(calls: model.draw(1..<60)) }
                if model.draw(0..<4) == 0 {
                    model.disk.faults.capacity =
                        model.disk.usedSpace + UInt64(model.draw(0..<3000))
                }
                for _ in 0..<model.draw(0..<40) {
                    switch model.draw(0..<4) {
                    case 0: model.append(model.draw(1..<6))
                    case 1: model.sync()
                    default: model.sync(appending: model.draw(0..<3), model.draw(0..<3))
                    }
                }
                if model.draw(0..<4) == 0, !model.disk.isStopped {
                    model.disk.crashKeepingCache()
                } else {
                    model.disk.crash()
                }
                model.disk.faults.capacity = 1 << 40
                #expect(try model.reopen() != nil, "seed \(seed)")
            }
        }
    }
}
