// SPDX-License-Identifier: Apache-2.0

internal import Records

/// A stretch of one segment whose entries were durable and cannot be read, and that has room for no
/// others.
struct DamagedRegion: Sendable, Equatable {
    /// The segment's base offset.
    var segment: Offset
    /// Where the bytes of its first entry belong.
    var start: UInt64
    /// Where the next sound frame begins, or the segment ends.
    var end: UInt64
    var first: LogIndex
    var last: LogIndex
    /// The base offset of its first entry.
    var offset: Offset
    /// The offset behind its last entry.
    var endOffset: Offset
    /// Every entry's term is sure: by its envelope, or by those of its neighbours.
    var termsAreKnown: Bool
}

extension LogRecovery {
    /// Where the entries of all gaps belong; `nil` if that cannot be said of one, or if nobody else has
    /// them.
    func regions(of verdict: RecoveryVerdict) -> [DamagedRegion]? {
        guard !verdict.gaps.isEmpty else { return [] }
        guard settings.commitRule == .byCaller, settings.isMended else { return nil }
        var regions: [DamagedRegion] = []
        for gap in verdict.gaps {
            guard let found = self.regions(of: gap) else { return nil }
            regions += found
        }
        return regions
    }

    private func regions(of gap: RecoveryVerdict.Gap) -> [DamagedRegion]? {
        let before = gap.afterRun >= 0 ? runs[gap.afterRun] : nil
        let after = gap.beforeRun.map { runs[$0] }
        let firstSegment = before?.lastSegment ?? startSegment
        let lastSegment = after?.firstSegment ?? found.count - 1
        guard found.indices.contains(firstSegment), firstSegment <= lastSegment else { return nil }
        let isKnown = termsAreKnown(in: gap, before: before, after: after)
        var regions: [DamagedRegion] = []
        for number in firstSegment...lastSegment {
            let store = found[number].store
            guard !store.headerIsRebuilt else { return nil }
            let isFirst = number == firstSegment
            let isLast = number == lastSegment
            let next = isLast ? nil : found[number + 1].store.header
            let first = isFirst ? gap.first : store.header.baseIndex
            let behind = next?.baseIndex ?? gap.next
            guard first < behind else { continue }
            let start =
                isFirst ? before?.end ?? startPosition : UInt64(StoreHeader.size)
            let end = isLast ? after?.start ?? found[number].tailEnd : store.fileSize
            regions.append(
                DamagedRegion(
                    segment: store.header.baseOffset, start: min(start, end), end: end,
                    first: first, last: behind.previous,
                    offset: isFirst ? Offset(gap.offsets.lowerBound) : store.header.baseOffset,
                    endOffset: next?.baseOffset ?? Offset(gap.offsets.upperBound),
                    termsAreKnown: isKnown))
        }
        return regions
    }

    /// Whether nothing but one term fits between a gap's neighbours, or its envelopes are all sound.
    private func termsAreKnown(
        in gap: RecoveryVerdict.Gap, before: FrameRun?, after: FrameRun?
    ) -> Bool {
        let low = before?.term ?? checkpoint?.term
        if let low, let high = after?.firstTerm ?? checkpoint?.term, low == high { return true }
        var next = gap.first
        for header in flawedHeaders where header.index == next { next = next.next }
        return next >= gap.next
    }
}
