// SPDX-License-Identifier: Apache-2.0

import CommitLog
import SimulatedDisk
import Testing

@Suite("A small log")
struct DamageTests {
    /// One segment, and three.
    private static let segmentSizes = [1 << 20, 600]

    @Test(
        "has a defined outcome for every byte of every file turned around",
        arguments: SmallLog.End.allCases, segmentSizes)
    func everyByte(_ end: SmallLog.End, segmentSizeMax: Int) throws {
        let small = try SmallLog(end, segmentSizeMax: segmentSizeMax)
        for path in try small.paths() {
            let size = try #require(small.disk.contents(path)).count
            for position in 0..<size {
                for mask: UInt8 in [0xff, 1 << UInt8(position % 8)] {
                    let copy = small.disk.copy(seed: 1)
                    copy.mutate(path) { $0[position] ^= mask }
                    small.check(
                        copy, lossable: lossable(small, path, position),
                        "byte \(position) of \(path) by \(mask)")
                }
            }
        }
    }

    /// What a damaged byte may cost: the frame that holds it.
    private func lossable(_ small: SmallLog, _ path: String, _ position: Int) -> Range<Int64> {
        let frame = small.frames.first { $0.store == path && $0.bytes.contains(position) }
        return frame?.offsets ?? 0..<0
    }

    @Test(
        "has a defined outcome for every prefix of its last store",
        arguments: [SmallLog.End.closed, .killed], segmentSizes)
    func everyPrefix(_ end: SmallLog.End, segmentSizeMax: Int) throws {
        let small = try SmallLog(end, segmentSizeMax: segmentSizeMax)
        let path = try #require(small.frames.last).store
        let size = try #require(small.disk.contents(path)).count
        for length in 0..<size {
            let copy = small.disk.copy(seed: 1)
            copy.truncate(path, to: length)
            let first = small.frames.first { $0.store == path && $0.bytes.upperBound > length }
            let lost = try #require(first).offsets.lowerBound
            small.check(
                copy, lossable: lost..<max(lost, small.acknowledged),
                "\(length) bytes of \(path)")
        }
    }

    @Test(
        "has a defined outcome for every prefix of any other file",
        arguments: SmallLog.End.allCases)
    func everyPrefixOfDerived(_ end: SmallLog.End) throws {
        let small = try SmallLog(end, segmentSizeMax: 600)
        for path in try small.paths() where !path.hasSuffix(".store") {
            let size = try #require(small.disk.contents(path)).count
            for length in 0..<size {
                let copy = small.disk.copy(seed: 1)
                copy.truncate(path, to: length)
                small.check(copy, lossable: 0..<0, "\(length) bytes of \(path)")
            }
        }
    }

    @Test("has a defined outcome for every file that is gone", arguments: SmallLog.End.allCases)
    func everyFileGone(_ end: SmallLog.End) throws {
        let small = try SmallLog(end, segmentSizeMax: 600)
        for path in try small.paths() {
            // Nothing else speaks of the newest segment before the next checkpoint does.
            if end == .killedIdle, path == small.frames.last?.store { continue }
            let copy = small.disk.copy(seed: 1)
            try copy.remove(path)
            let frames = small.frames.filter { $0.store == path }
            let lossable =
                frames.isEmpty
                ? 0..<0 : frames[0].offsets.lowerBound..<frames[frames.count - 1].offsets.upperBound
            small.check(copy, lossable: lossable, "\(path) gone")
        }
    }
}
