// SPDX-License-Identifier: Apache-2.0

internal import Records

/// A stretch of sound frames that follow each other without a break, as a scan found it.
struct FrameRun: Sendable, Equatable {
    /// The number of the segment in which it begins, and of that in which it ends.
    var firstSegment: Int
    var lastSegment: Int
    /// Where it begins in its first segment's store.
    var start: UInt64
    /// Where it ends in its last segment's store.
    var end: UInt64
    var firstIndex: LogIndex
    var firstOffset: Offset
    /// What would follow it.
    var nextIndex: LogIndex
    var nextOffset: Offset
    /// The highest durable index that its frames state.
    var durableIndex: LogIndex
    /// The highest term of its frames.
    var term: Term
    /// Bytes that are no frame lie in front of it.
    var followsFlaw = false
    /// The term of its first frame.
    var firstTerm = Term.zero
}

/// What to do about what a scan found: the table of the recovery rules, without any I/O.
///
/// A break in the log at index `i` is damage if anything says that `i` was durable: a later frame's
/// durable index, or the checkpoint. Otherwise nothing at or behind `i` was ever acknowledged under
/// the rule "synced before acknowledged", and the log ends there: a torn tail, or writes of one
/// unsynced window that reached the disk out of order. (Alagappan et al., "Protocol-Aware Recovery
/// for Consensus-Based Storage", FAST '18, section 3.3.)
struct RecoveryVerdict: Sendable, Equatable {
    /// A break that is damage: acknowledged offsets that are gone.
    struct Gap: Sendable, Equatable {
        /// The run in front of the break, or -1 if the scan began with it.
        var afterRun: Int
        /// The run behind it; `nil` if there is none.
        var beforeRun: Int?
        var offsets: Range<Int64>
        /// The first entry that is gone, and the first one that is there again.
        var first = LogIndex.zero
        var next = LogIndex.zero
    }

    /// The runs that are the log, in order.
    var kept: [Int]
    var gaps: [Gap]
    /// Runs behind the cut: to be discarded.
    var discarded: [Int]
    /// What follows the last kept frame.
    var nextIndex: LogIndex
    var nextOffset: Offset

    /// Judges the runs of a scan.
    ///
    /// - Parameters:
    ///   - runs: In file order.
    ///   - nextIndex: The index expected at the place where the scan began.
    ///   - nextOffset: The offset expected there.
    ///   - durableIndex: The highest index that the checkpoint knows to be durable.
    ///   - durableOffset: The offset behind it.
    init(
        runs: [FrameRun], nextIndex: LogIndex, nextOffset: Offset, durableIndex: LogIndex,
        durableOffset: Offset
    ) {
        kept = []
        gaps = []
        discarded = []
        self.nextIndex = nextIndex
        self.nextOffset = nextOffset
        // The highest durable index stated by a run or any behind it.
        var evidence = [LogIndex](repeating: durableIndex, count: runs.count + 1)
        for number in runs.indices.reversed() {
            evidence[number] = max(evidence[number + 1], runs[number].durableIndex)
        }
        for (number, run) in runs.enumerated() {
            if run.firstIndex == self.nextIndex, run.firstOffset == self.nextOffset {
                if run.followsFlaw {
                    // Bytes without an offset: a mark, or a header. If this frame was durable, so
                    // were they; if it was not, a power cut may have taken them.
                    guard evidence[number] >= run.firstIndex else {
                        discarded.append(contentsOf: number..<runs.count)
                        break
                    }
                    let here = self.nextOffset.rawValue
                    gaps.append(
                        Gap(
                            afterRun: kept.last ?? -1, beforeRun: number, offsets: here..<here,
                            first: run.firstIndex, next: run.firstIndex))
                }
                keep(number, run)
            } else if run.firstIndex < self.nextIndex || run.firstOffset < self.nextOffset {
                // Older bytes that a later write has replaced: never the log.
                discarded.append(number)
            } else if evidence[number] >= self.nextIndex {
                gaps.append(
                    Gap(
                        afterRun: kept.last ?? -1, beforeRun: number,
                        offsets: self.nextOffset.rawValue..<run.firstOffset.rawValue,
                        first: self.nextIndex, next: run.firstIndex))
                keep(number, run)
            } else {
                discarded.append(contentsOf: number..<runs.count)
                break
            }
        }
        if durableIndex >= self.nextIndex {
            gaps.append(
                Gap(
                    afterRun: kept.last ?? -1, beforeRun: nil,
                    offsets: self.nextOffset.rawValue..<durableOffset.rawValue,
                    first: self.nextIndex, next: durableIndex.next))
            self.nextIndex = durableIndex.next
            self.nextOffset = durableOffset
        }
        assert(kept.count + discarded.count == runs.count, "each run is kept or discarded")
    }

    private mutating func keep(_ number: Int, _ run: FrameRun) {
        kept.append(number)
        nextIndex = run.nextIndex
        nextOffset = run.nextOffset
    }
}
