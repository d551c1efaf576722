// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk

/// What is left after the machine or the process stopped.
extension DiskState {
    /// A power cut: what was synced, and of the rest what the seed leaves.
    mutating func cutPower() {
        precondition(modelsPowerCuts, "this disk does not keep what a power cut would need")
        loseNames()
        restart()
        var reachable: [Int: Inode] = [:]
        used = 0
        collect(Self.root, &reachable)
        inodes = reachable
        effects.note(.syncAll, "power cut", position: used, size: reachable.count)
    }

    /// The end of a process: all that was written stays, and stays unsynced.
    mutating func killProcess() {
        restart()
        for id in inodes.keys.sorted() {
            guard let inode = inodes[id] else { continue }
            let wasOpen = inode.opens > 0
            inode.opens = 0
            if wasOpen { release(inode) }
        }
        effects.note(.syncAll, "process end", position: used, size: inodes.count)
    }

    private mutating func restart() {
        generation += 1
        locks = []
        isStopped = false
        callsUntilStop = nil
    }

    /// Keeps some of the unsynced changes of names: none, all, the first, or any that do not build
    /// on a lost one.
    private mutating func loseNames() {
        let count = unsyncedNames.count
        let kept: Int
        var chance = 10
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: kept = 0
        case 1: kept = count
        case 2: kept = Int.random(in: 0...count, using: &generator)
        default:
            kept = count
            chance = Int.random(in: 1...9, using: &generator)
        }
        var lost: Set<NameChange.Step> = []
        for (step, change) in unsyncedNames.enumerated() {
            let isKept = step < kept && Int.random(in: 0..<10, using: &generator) < chance
            if isKept, !change.steps.contains(where: { lost.contains($0.key) }) {
                makeDurable(change)
            } else {
                for (key, _) in change.steps { lost.insert(key) }
            }
        }
        unsyncedNames = []
    }

    /// Walks the names that the device holds, in their order, and settles what they lead to.
    private mutating func collect(_ id: Int, _ reachable: inout [Int: Inode]) {
        guard let inode = inodes[id] else { return }
        inode.opens = 0
        inode.links = 1
        reachable[id] = inode
        guard inode.isDirectory else {
            inode.settle(inode.survivors(&generator))
            used += UInt64(inode.content.count)
            effects.note(checksum: CRC32C.checksum(inode.content))
            return
        }
        inode.names = inode.durableNames
        for name in inode.names.keys.sorted() {
            if let child = inode.names[name] { collect(child, &reachable) }
        }
    }
}
