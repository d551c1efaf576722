// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// A file or directory of the simulated disk, under whatever names.
///
/// `@unchecked Sendable`: reached only through the disk's state, under the mutex that owns it.
final class Inode: @unchecked Sendable {
    /// A change of a file that no sync has covered.
    enum Change: Sendable {
        case write(position: Int, bytes: [UInt8])
        case truncate(size: Int)

        var isTruncation: Bool {
            if case .truncate = self { true } else { false }
        }
    }

    let id: Int
    let isDirectory: Bool
    /// What readers see.
    var content: [UInt8] = []
    /// What the device is sure to hold.
    var durable: [UInt8] = []
    /// What may or may not be on the device.
    var unsynced: [Change] = []
    /// The sectors that no sync brings to the device, until the file is cut before them or the page
    /// cache is gone.
    private var poisoned: Set<Int> = []
    /// A directory's entries as they are seen, and as the device holds them.
    var names: [String: Int] = [:]
    var durableNames: [String: Int] = [:]
    var links = 0
    var opens = 0

    init(id: Int, isDirectory: Bool) {
        self.id = id
        self.isDirectory = isDirectory
    }

    static func apply(_ change: Change, to bytes: inout [UInt8]) {
        switch change {
        case .write(let position, let piece): write(piece[...], at: position, to: &bytes)
        case .truncate(let size): resize(&bytes, to: size)
        }
    }

    static func write(_ piece: ArraySlice<UInt8>, at position: Int, to bytes: inout [UInt8]) {
        guard !piece.isEmpty else { return }
        if position == bytes.count {
            bytes.append(contentsOf: piece)
            return
        }
        if bytes.count < position + piece.count { resize(&bytes, to: position + piece.count) }
        bytes.withUnsafeMutableBytes { target in
            piece.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: target[position...]).copyMemory(from: $0)
            }
        }
    }

    static func resize(_ bytes: inout [UInt8], to size: Int) {
        if size < bytes.count {
            bytes.removeSubrange(size...)
        } else {
            bytes.append(contentsOf: repeatElement(0, count: size - bytes.count))
        }
    }

    /// Takes what is seen for what is held.
    func settle(_ bytes: [UInt8]) {
        content = bytes
        durable = bytes
        unsynced = []
        poisoned = []
    }
}

// MARK: - Syncs

extension Inode {
    /// Takes a change of the content.
    func change(_ change: Change) {
        Self.apply(change, to: &content)
        if case .truncate(let size) = change, !poisoned.isEmpty {
            poisoned = poisoned.filter { $0 * Self.sector < size }
        }
    }

    /// Makes all changes durable that the device takes.
    func makeDurable() {
        for change in unsynced { Self.apply(change, to: &durable) }
        unsynced = []
        losePoisoned(of: &durable)
    }

    /// Forgets that anything is to be written, as a failed sync does.
    func dropUnsynced(poisoning: Bool) {
        if poisoning {
            let firstNew = (durable.count + Self.sector - 1) / Self.sector
            for case .write(let position, let bytes) in unsynced where !bytes.isEmpty {
                let last = (position + bytes.count - 1) / Self.sector
                let first = max(firstNew, position / Self.sector)
                if first <= last { poisoned.formUnion(first...last) }
            }
            poisoned = poisoned.filter { $0 * Self.sector < content.count }
        }
        unsynced = []
    }

    private func losePoisoned(of bytes: inout [UInt8]) {
        for number in poisoned.sorted() where number * Self.sector < bytes.count {
            let end = min(bytes.count, (number + 1) * Self.sector)
            for place in (number * Self.sector)..<end { bytes[place] = 0 }
        }
    }
}

// MARK: - Power cut

extension Inode {
    private static let sector = 512

    /// What a power cut leaves of the content: anything between what was synced and what was
    /// written, sector by sector, in a way that the generator chooses.
    ///
    /// Writes reach the device in any order. A truncation frees blocks, which the journals of Linux
    /// file systems keep in order: one that is lost takes what was written behind it along.
    func survivors(_ generator: inout SplitMix64) -> [UInt8] {
        var bytes = left(&generator)
        losePoisoned(of: &bytes)
        return bytes
    }

    private func left(_ generator: inout SplitMix64) -> [UInt8] {
        let manner = Int.random(in: 0..<6, using: &generator)
        if manner == 1 { return applied(unsynced[...]) }
        let cuts = unsynced.indices.filter { unsynced[$0].isTruncation }
        let kept = Int.random(in: 0...cuts.count, using: &generator)
        let changes = kept < cuts.count ? unsynced[..<cuts[kept]] : unsynced[...]
        guard manner != 0, !changes.isEmpty else { return durable }
        switch manner {
        case 2: return prefix(of: changes, &generator)
        case 3: return subset(of: changes, &generator)
        default: return sectors(of: changes, &generator)
        }
    }

    private func applied(_ changes: ArraySlice<Change>) -> [UInt8] {
        var bytes = durable
        for change in changes { Self.apply(change, to: &bytes) }
        return bytes
    }

    /// The first changes, the last of them torn.
    private func prefix(
        of changes: ArraySlice<Change>, _ generator: inout SplitMix64
    ) -> [UInt8] {
        let count = Int.random(in: 0..<changes.count, using: &generator)
        var bytes = applied(changes.prefix(count))
        if case .write(let position, let piece) = changes[changes.startIndex + count] {
            let end = Int.random(in: position...(position + piece.count), using: &generator)
            let border = max(position, end / Self.sector * Self.sector)
            Self.write(piece[..<(border - position)], at: position, to: &bytes)
        }
        return bytes
    }

    /// Some writes whole, the others not at all.
    private func subset(
        of changes: ArraySlice<Change>, _ generator: inout SplitMix64
    ) -> [UInt8] {
        let chance = Int.random(in: 1...9, using: &generator)
        var bytes = durable
        for change in changes {
            if change.isTruncation || Int.random(in: 0..<10, using: &generator) < chance {
                Self.apply(change, to: &bytes)
            }
        }
        return bytes
    }

    /// Each sector as it was after some write, independent of the others; the length likewise.
    private func sectors(
        of changes: ArraySlice<Change>, _ generator: inout SplitMix64
    ) -> [UInt8] {
        var lengths = [durable.count]
        var longest = durable.count
        for change in changes {
            switch change {
            case .write(let position, let piece):
                lengths.append(max(lengths[lengths.count - 1], position + piece.count))
            case .truncate(let size): lengths = [size]
            }
            longest = max(longest, lengths[lengths.count - 1])
        }
        var bytes = durable
        Self.resize(&bytes, to: longest)
        // How many changes reached each sector; drawn at its first write.
        var reached = [Int](repeating: -1, count: longest / Self.sector + 1)
        let chance = Int.random(in: 1...9, using: &generator)
        for (step, change) in changes.enumerated() {
            switch change {
            case .truncate(let size):
                for place in min(size, longest)..<longest { bytes[place] = 0 }
            case .write(let position, let piece):
                var start = position
                while start < position + piece.count {
                    let number = start / Self.sector
                    let end = min(position + piece.count, (number + 1) * Self.sector)
                    if reached[number] < 0 {
                        reached[number] = reach(changes.count, chance, &generator)
                    }
                    if reached[number] > step {
                        let part = piece[(start - position)..<(end - position)]
                        Self.write(part, at: start, to: &bytes)
                    }
                    start = end
                }
            }
        }
        Self.resize(&bytes, to: length(lengths, &generator))
        return bytes
    }

    private func reach(_ count: Int, _ chance: Int, _ generator: inout SplitMix64) -> Int {
        if Int.random(in: 0..<10, using: &generator) < chance { return count }
        return Bool.random(using: &generator)
            ? 0 : Int.random(in: 0...count, using: &generator)
    }

    /// A length that the file had, or one between, so that it may end in zeros or cut data.
    private func length(_ lengths: [Int], _ generator: inout SplitMix64) -> Int {
        let shortest = lengths.reduce(lengths[0], min)
        let longest = lengths.reduce(0, max)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: return lengths[lengths.count - 1]
        case 1: return lengths[Int.random(in: 0..<lengths.count, using: &generator)]
        case 2: return longest
        default:
            let between = Int.random(in: shortest...longest, using: &generator)
            return max(shortest, between / Self.sector * Self.sector)
        }
    }
}
