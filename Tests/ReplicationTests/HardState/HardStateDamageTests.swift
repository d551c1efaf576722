// SPDX-License-Identifier: Apache-2.0

import Disk
import RaftCore
import Records
import Replication
import SimulatedDisk
import Testing

@Suite("A damaged hard-state journal")
struct HardStateDamageTests {
    private static let recordSize = 128

    /// A journal of a head and nine records, of which the last two were never synced.
    private func journal() throws -> JournalModel {
        let model = try JournalModel(seed: 11, sizeMax: 1 << 20)
        for _ in 0..<7 { #expect(model.append(1) && model.sync()) }
        #expect(model.append(2))
        model.disk.crashKeepingCache()
        return model
    }

    /// What the journal of some bytes says: so many records of the history, or that it is damaged.
    private enum Verdict: Equatable {
        case opened(Int?)
        case promiseLost(UInt64)
        case other
    }

    private func open(_ bytes: [UInt8], _ model: JournalModel) throws -> Verdict {
        let disk = SimulatedFileSystem(seed: 5)
        try disk.createDirectory(JournalModel.directory)
        try disk.open(JournalModel.path, .create).write(bytes, at: 0)
        do throws(HardStateError) {
            let journal = try HardStateJournal(
                directory: JournalModel.directory, on: disk, reserve: 0)
            return .opened(
                model.count(of: JournalModel.groups.map { journal.record(of: $0, life: 3) }))
        } catch {
            // The file that is damaged is left as it is, for whoever looks into it.
            #expect(disk.contents(JournalModel.path) == bytes)
            if case .promiseLost(_, let record) = error { return .promiseLost(record) }
            return .other
        }
    }

    /// How many records those of a prefix say were synced.
    private func vouched(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        stride(from: 0, to: bytes.count - Self.recordSize + 1, by: Self.recordSize).map { start in
            bytes[(start + 40)..<(start + 48)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }.max() ?? 1
    }

    @Test("a changed byte anywhere is noticed, and forgets no vote")
    func everyByte() throws {
        let model = try journal()
        let bytes = try #require(model.disk.contents(JournalModel.path))
        #expect(try open(bytes, model) == .opened(9))
        for place in bytes.indices {
            for mask in [0x01, 0x80, 0xff, bytes[place]] where mask != 0 {
                var changed = bytes
                changed[place] ^= mask
                switch try open(changed, model) {
                case .promiseLost(let record): #expect(record == UInt64(place / Self.recordSize))
                case .opened(9): break
                case .opened(let count?):
                    // Only a record that nothing vouches for may be taken for one that a power cut
                    // has torn, and only if its end is gone.
                    #expect(place % Self.recordSize == Self.recordSize - 1 && count >= 7)
                default: Issue.record("byte \(place) with \(mask)")
                }
            }
        }
    }

    @Test("a file cut anywhere opens with what was not synced missing, or not at all")
    func everyPrefix() throws {
        let model = try journal()
        let bytes = try #require(model.disk.contents(JournalModel.path))
        for length in 0..<bytes.count {
            let whole = UInt64(length / Self.recordSize)
            let verdict = try open(Array(bytes[..<length]), model)
            if whole < max(1, vouched(bytes[..<length])) {
                #expect(verdict == .promiseLost(whole))
            } else {
                #expect(
                    verdict
                        == .opened(
                            model.count(
                                of: JournalModel.words(model.history.prefix(Int(whole) - 1)))))
            }
        }
    }

    @Test("a sector of zeros is noticed where anything behind it was promised later")
    func zeroedSectors() throws {
        let model = try journal()
        let bytes = try #require(model.disk.contents(JournalModel.path))
        for start in stride(from: 0, to: bytes.count, by: 512) {
            var changed = bytes
            let end = min(start + 512, bytes.count)
            changed.replaceSubrange(
                start..<end, with: repeatElement(0, count: end - start))
            let verdict = try open(changed, model)
            if vouched(changed[...]) > UInt64(start / Self.recordSize) {
                #expect(verdict == .promiseLost(UInt64(start / Self.recordSize)))
            } else {
                #expect(verdict == .opened(start / Self.recordSize - 1))
            }
        }
    }

    @Test("a record in another one's place is damage")
    func misplaced() throws {
        let model = try journal()
        let bytes = try #require(model.disk.contents(JournalModel.path))
        var changed = bytes
        changed.replaceSubrange(256..<384, with: bytes[384..<512])
        #expect(try open(changed, model) == .promiseLost(2))
    }

    @Test("after any start all words vouch for each other, but for the last sector's")
    func freshFile() throws {
        let model = try journal()
        #expect(try model.reopen() == 9)
        model.disk.crash()
        let bytes = try #require(model.disk.contents(JournalModel.path))
        for place in stride(from: 0, to: bytes.count, by: Self.recordSize) {
            var changed = bytes
            changed.replaceSubrange(
                place..<(place + Self.recordSize),
                with: repeatElement(0, count: Self.recordSize))
            #expect(try open(changed, model) == .promiseLost(UInt64(place / Self.recordSize)))
        }
    }
}
