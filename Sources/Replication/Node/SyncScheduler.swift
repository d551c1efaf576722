// SPDX-License-Identifier: Apache-2.0

/// Decides which files of a disk are synced together, and when.
///
/// ```
/// dirty   a b ──▶ round: a b ─────────────▶ round: c a d ──▶
///             c, a, d get dirty meanwhile ──┘
/// ```
///
/// At most one round is in flight: whatever gets dirty meanwhile gathers for the next one, which begins
/// when this one is over. So the disk's own pace makes the groups of a group commit, without a timer:
/// an idle disk syncs at once, a busy one syncs many logs in one go.
///
/// The journal goes first, since votes wait for it. Of the logs the one that has waited longest is in
/// front, and one that gets dirty again stands behind all others; so with a bound on the logs of a
/// round a small log waits for one round at most after those before it, however busy the others are.
///
/// Decides only: its owner begins tickets, has them run by threads, and says when they are done.
public struct SyncScheduler: Sendable {
    /// Something that is synced by itself.
    public enum Target: Hashable, Comparable, Sendable {
        case journal
        case log(GroupID)
    }

    /// What is to be synced now.
    public struct Round: Sendable, Equatable {
        /// What to sync, in parallel; the journal first.
        public var targets: [Target]
        /// Whether one call for the whole file system goes ahead, so that each file's own sync finds its
        /// pages clean: with many files that takes the disk a fraction of the time.
        ///
        /// Each file is synced by itself in any case: only that tells whether its pages were lost.
        public var isWide: Bool
    }

    /// From so many files on, one call for the whole file system goes ahead.
    ///
    /// A few are synced as fast side by side, and such a call also writes out what nobody waits for.
    public static let wideCount = 16

    /// The most targets of one round.
    public let roundMax: Int
    /// Those that wait, in the order in which they got dirty.
    private var waiting: [Target] = []
    /// The same ones, sorted, to tell who waits already.
    private var isWaiting: [Target] = []
    /// What of the round in flight is not done, sorted.
    private var inFlight: [Target] = []

    /// A scheduler of a disk.
    ///
    /// - Parameter roundMax: The most targets of one round.
    public init(roundMax: Int = 1024) {
        precondition(roundMax > 0, "rounds of nothing")
        self.roundMax = roundMax
    }

    /// Whether a round is in flight.
    public var isBusy: Bool { !inFlight.isEmpty }
    /// Whether somebody waits for a round.
    public var hasWork: Bool { !waiting.isEmpty }

    /// Takes note that something was written that has to be synced; also of what is being synced now,
    /// since that sync may not cover it.
    public mutating func markDirty(_ target: Target) {
        let place = Self.place(of: target, in: isWaiting)
        if place < isWaiting.count, isWaiting[place] == target { return }
        isWaiting.insert(target, at: place)
        if target == .journal {
            waiting.insert(target, at: 0)
        } else {
            waiting.append(target)
        }
    }

    /// The next round, if none is in flight and somebody waits.
    ///
    /// Each of its targets is to be handed to ``end(_:)``, also one that turned out to be clean.
    public mutating func beginRound() -> Round? {
        guard !isBusy, !waiting.isEmpty else { return nil }
        let targets = Array(waiting.prefix(roundMax))
        waiting.removeFirst(targets.count)
        inFlight = targets.sorted()
        isWaiting = waiting.sorted()
        return Round(targets: targets, isWide: targets.count >= Self.wideCount)
    }

    /// A target of the round is synced, or was not to be synced at all.
    ///
    /// - Returns: Whether the round is over with that.
    @discardableResult
    public mutating func end(_ target: Target) -> Bool {
        let place = Self.place(of: target, in: inFlight)
        precondition(
            place < inFlight.count && inFlight[place] == target, "\(target) is not being synced")
        inFlight.remove(at: place)
        return inFlight.isEmpty
    }

    /// Forgets something that is there no more; what is in flight has to end all the same.
    public mutating func remove(_ target: Target) {
        let place = Self.place(of: target, in: isWaiting)
        guard place < isWaiting.count, isWaiting[place] == target else { return }
        isWaiting.remove(at: place)
        waiting.removeAll { $0 == target }
    }

    /// The first place in a sorted list that is not before a target.
    private static func place(of target: Target, in list: [Target]) -> Int {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if list[middle] < target { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
