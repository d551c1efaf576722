// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
internal import Records

/// Opens a log's directory: the only way that a log starts, after a clean stop, a crash or never.
///
/// The files are surveyed, what the checkpoint does not vouch for is scanned, ``RecoveryVerdict``
/// judges, and only then, and only if nothing acknowledged is missing, is anything changed.
struct LogRecovery {
    var survey: LogSurvey
    let settings: LogSettings
    let now: Timestamp
    var salts: SplitMix64
    var report = RecoveryReport()

    /// A segment that was, or need not be, scanned.
    struct Found {
        var store: LogSurvey.Store
        var builder: IndexBuilder
        /// Where its last sound frame ends.
        var end: UInt64
        var wasScanned: Bool
        /// Where the last frame would end of which only the beginning is there.
        var claimedEnd: UInt64 = 0
        /// The builder knows the frames up to `end`, and all of them are the log's.
        var isIndexed = true

        /// Where the segment ends if nothing in it is given up.
        var tailEnd: UInt64 { max(store.fileSize, claimedEnd) }
    }

    /// What a log goes on from.
    struct Result {
        var closed: [Segment]
        var active: ActiveSegment
        var nextIndex: LogIndex
        var nextOffset: Offset
        var term: Term
        var logStartOffset: Offset
        /// The highest index known to be synced.
        var durableIndex: LogIndex
        var durableOffset: Offset
        var checkpointSequence: UInt64
        var checkpoint: Checkpoint?
        /// Files to be synced before anything in them counts.
        var unsynced: [any File]
        var report: RecoveryReport
        var salts: SplitMix64
        /// Where entries are to be written anew; empty if that cannot be said.
        var regions: [DamagedRegion] = []
        /// Nothing is damaged but those regions.
        var isUsable = true
    }

    var found: [Found] = []
    private(set) var runs: [FrameRun] = []
    private(set) var startSegment = 0
    private(set) var startPosition = UInt64(StoreHeader.size)
    private var expectedIndex = LogIndex(1)
    private var expectedOffset = Offset.zero
    private(set) var checkpoint: Checkpoint?
    /// Sound envelopes of payloads that are not.
    private(set) var flawedHeaders: [FrameHeader] = []

    init(
        directory: String, group: UInt64, fileSystem: any FileSystem, settings: LogSettings,
        now: Timestamp, seed: UInt64
    ) throws(LogError) {
        self.settings = settings
        self.now = now
        salts = SplitMix64(seed: seed)
        survey = try LogSurvey(directory: directory, group: group, fileSystem: fileSystem)
    }

    var fileSystem: any FileSystem { survey.fileSystem }
    var directory: String { survey.directory }

    /// Recovers the log.
    mutating func run() throws(LogError) -> Result {
        report.strayNames = survey.strayNames
        report.damages = survey.damages
        if case .checkpoint(let found) = survey.checkpoint { checkpoint = found }
        if survey.stores.isEmpty, checkpoint == nil, survey.damages.isEmpty {
            return try makeNew()
        }
        report.checkpointWasLost = checkpoint == nil
        chooseStart()
        try checkChain()
        try onDiskScan()
        let verdict = RecoveryVerdict(
            runs: runs, nextIndex: expectedIndex, nextOffset: expectedOffset,
            durableIndex: durableByCheckpoint.index, durableOffset: durableByCheckpoint.offset)
        let regions = report.damages.isEmpty ? regions(of: verdict) : nil
        note(verdict.gaps)
        report.nextOffset = verdict.nextOffset
        return try assemble(verdict, regions)
    }

    /// Reads everything, whatever the checkpoint vouches for, and changes nothing.
    mutating func inspect() throws(LogError) -> RecoveryVerdict {
        report.strayNames = survey.strayNames
        report.damages = survey.damages
        if case .checkpoint(let found) = survey.checkpoint { checkpoint = found }
        report.checkpointWasLost = checkpoint == nil
        if let first = survey.stores.first?.header {
            expectedIndex = first.baseIndex
            expectedOffset = first.baseOffset
        } else if let checkpoint {
            expectedOffset = checkpoint.logStartOffset
        }
        try checkChain()
        try onDiskScan()
        let verdict = RecoveryVerdict(
            runs: runs, nextIndex: expectedIndex, nextOffset: expectedOffset,
            durableIndex: durableByCheckpoint.index, durableOffset: durableByCheckpoint.offset)
        note(verdict.gaps)
        report.nextOffset = verdict.nextOffset
        return verdict
    }

    private var durableByCheckpoint: (index: LogIndex, offset: Offset) {
        guard let checkpoint, checkpoint.nextIndex > .zero else { return (.zero, .zero) }
        return (LogIndex(checkpoint.nextIndex.rawValue - 1), checkpoint.nextOffset)
    }

    /// Makes the files of a log that does not exist yet.
    private mutating func makeNew() throws(LogError) -> Result {
        for base in survey.unfinished { try remove(segment: base) }
        for name in survey.orphans { try remove(name: name) }
        report.isNew = true
        let header = StoreHeader(
            group: survey.group, salt: salts.next(), baseOffset: .zero, baseIndex: LogIndex(1),
            previous: nil, created: now)
        let active = try onDisk { () throws(FileError) in
            try ActiveSegment.create(header, in: directory, on: fileSystem)
        }
        try onDisk { () throws(FileError) in
            try active.store.sync()
            try fileSystem.syncDirectory(directory)
        }
        return Result(
            closed: [], active: active, nextIndex: LogIndex(1), nextOffset: .zero, term: Term(1),
            logStartOffset: .zero, durableIndex: .zero, durableOffset: .zero,
            checkpointSequence: 0, checkpoint: nil, unsynced: [], report: report, salts: salts)
    }

    /// Decides from where on the log has to be scanned.
    private mutating func chooseStart() {
        let stores = survey.stores
        if let checkpoint {
            if let number = stores.firstIndex(where: { $0.header.baseOffset == checkpoint.segment }
            ),
                stores[number].fileSize >= checkpoint.position
            {
                startSegment = number
                startPosition = checkpoint.position
                expectedIndex = checkpoint.nextIndex
                expectedOffset = checkpoint.nextOffset
                return
            }
            // What the checkpoint points to is not there: find out what is.
            startSegment =
                stores.lastIndex(where: { $0.header.baseOffset <= checkpoint.segment }) ?? 0
            if startSegment == 0, let first = stores.first?.header.baseOffset,
                first > checkpoint.segment
            {
                // Whether what lies between is lost or never was on the disk, the verdict says.
                expectedIndex = checkpoint.nextIndex
                expectedOffset = checkpoint.nextOffset
                return
            }
        }
        if startSegment < stores.count {
            expectedIndex = stores[startSegment].header.baseIndex
            expectedOffset = stores[startSegment].header.baseOffset
        } else if let checkpoint {
            expectedIndex = LogIndex(1)
            expectedOffset = checkpoint.logStartOffset
        }
    }

    // MARK: Segments that are not scanned

    /// Checks by names, headers and lengths alone that the segments before the scan are whole.
    private mutating func checkChain() throws(LogError) {
        let stores = survey.stores
        if let first = stores.first?.header.baseOffset, let checkpoint {
            let end = min(first, checkpoint.nextOffset)
            if end > checkpoint.logStartOffset {
                damage(
                    checkpoint.logStartOffset..<end, directory, 0,
                    "the first segments are missing")
            }
        }
        for (number, store) in stores.enumerated()
        where store.headerIsRebuilt && !isBelowStart(number) {
            let isVouchedFor = startPosition > UInt64(StoreHeader.size) && number == startSegment
            if number < startSegment || isVouchedFor {
                let base = store.header.baseOffset
                damage(base..<base, store.path, 0, "the header is damaged")
            }
        }
        for number in 0..<min(startSegment, stores.count) {
            let store = stores[number]
            let next = stores[number + 1].header
            var end = store.fileSize
            if isBelowStart(number) {
                // Its removal, or that of one behind it, was not finished.
            } else if let previous = next.previous, previous.baseOffset == store.header.baseOffset,
                previous.size <= store.fileSize
            {
                end = previous.size
            } else {
                end = try findEnd(of: store, before: next)
            }
            found.append(
                Found(
                    store: store,
                    builder: IndexBuilder(
                        baseOffset: store.header.baseOffset, baseIndex: store.header.baseIndex),
                    end: end, wasScanned: false))
        }
    }

    /// Whether all of a segment lies before the log start: it is to be removed.
    private func isBelowStart(_ number: Int) -> Bool {
        guard let checkpoint, number + 1 < survey.stores.count else { return false }
        return survey.stores[number + 1].header.baseOffset <= checkpoint.logStartOffset
    }

    /// Scans a segment for which its successor does not vouch, and notes what is missing.
    private mutating func findEnd(
        of store: LogSurvey.Store, before next: StoreHeader
    ) throws(LogError) -> UInt64 {
        let scanner = StoreScanner(
            store.file, group: survey.group, salt: store.header.salt,
            from: UInt64(StoreHeader.size), end: store.fileSize)
        var nextOffset = store.header.baseOffset
        try onDisk { () throws(FileError) in
            while case .frame(let frame) = try scanner.next(checkingPayloads: false) {
                nextOffset = max(nextOffset, frame.endOffset)
            }
        }
        report.scannedBytes += scanner.position
        if nextOffset < next.baseOffset {
            damage(
                nextOffset..<next.baseOffset, store.path, scanner.position,
                "the segment is cut short, or the one behind it is missing")
        }
        return scanner.position
    }

    // MARK: The scan

    private mutating func onDiskScan() throws(LogError) {
        let stores = survey.stores
        guard startSegment < stores.count else { return }
        for number in startSegment..<stores.count {
            let store = stores[number]
            let isStart = number == startSegment
            let from = isStart ? startPosition : UInt64(StoreHeader.size)
            let builder = try makeBuilder(store, from: from)
            found.append(Found(store: store, builder: builder, end: from, wasScanned: true))
            try scan(number: number, from: from)
        }
        // A segment that was begun after the clean stop may be on no disk yet.
        report.wasClean =
            checkpoint?.isClean == true && report.scannedBytes == 0 && report.damages.isEmpty
            && startSegment == stores.count - 1 && survey.unfinished.isEmpty
    }

    /// Walks one store, adds to ``runs``, and indexes it for as long as its frames follow each other.
    private mutating func scan(number: Int, from: UInt64) throws(LogError) {
        let store = found[number].store
        let scanner = StoreScanner(
            store.file, group: survey.group, salt: store.header.salt, from: from,
            end: store.fileSize)
        var isBroken = store.headerIsRebuilt && from == UInt64(StoreHeader.size)
        do throws(FileError) {
            scan: while true {
                switch try scanner.next() {
                case .frame(let frame):
                    let position = scanner.position - UInt64(frame.frameLength)
                    let isNewRun = try add(
                        frame, at: position, in: number, scanner, isBroken: isBroken)
                    if isNewRun, position > from { found[number].isIndexed = false }
                    if found[number].isIndexed {
                        found[number].builder.note(
                            frame, at: position, interval: settings.indexInterval)
                    }
                    isBroken = false
                    found[number].end = scanner.position
                case .flaw(_, let header):
                    isBroken = true
                    if let header, header.kind.isEntry { flawedHeaders.append(header) }
                    let behind =
                        scanner.position + UInt64(header.map { $0.frameLength } ?? 1)
                    found[number].claimedEnd = max(found[number].claimedEnd, behind)
                    guard try scanner.seekFrame(from: behind) != nil else { break scan }
                case .end:
                    break scan
                }
            }
        } catch {
            throw .file(error)
        }
        report.scannedBytes += store.fileSize - min(from, store.fileSize)
    }

    /// Adds a frame to the last run, or begins a new one with it; whether it did the latter.
    private mutating func add(
        _ frame: FrameHeader, at position: UInt64, in segment: Int, _ scanner: StoreScanner,
        isBroken: Bool
    ) throws(FileError) -> Bool {
        let after = try positionsAfter(frame, at: position, scanner)
        let firstIndex = frame.firstIndex
        let end = position + UInt64(frame.frameLength)
        if !isBroken, var last = runs.last, last.nextIndex == firstIndex,
            last.nextOffset == frame.baseOffset
        {
            last.lastSegment = segment
            last.end = end
            last.nextIndex = after.index
            last.nextOffset = after.offset
            last.durableIndex = max(last.durableIndex, frame.durableIndex)
            last.term = max(last.term, frame.term)
            runs[runs.count - 1] = last
            return false
        }
        runs.append(
            FrameRun(
                firstSegment: segment, lastSegment: segment, start: position, end: end,
                firstIndex: firstIndex, firstOffset: frame.baseOffset, nextIndex: after.index,
                nextOffset: after.offset, durableIndex: frame.durableIndex, term: frame.term,
                followsFlaw: isBroken, firstTerm: frame.term))
        return true
    }

    /// The index and the offset that follow a frame.
    private func positionsAfter(
        _ frame: FrameHeader, at position: UInt64, _ scanner: StoreScanner
    ) throws(FileError) -> (index: LogIndex, offset: Offset) {
        switch frame.kind {
        case .batch, .noOp, .configuration: return (frame.index.next, frame.endOffset)
        case .mark, .head: return (frame.index.next, frame.baseOffset)
        case .gap:
            let payload = try unsafe scanner.withBytes(
                at: position + UInt64(FrameHeader.size), count: GapPayload.size
            ) { unsafe GapPayload(reading: $0) }
            guard let payload else { return (frame.index.next, frame.baseOffset) }
            return (payload.nextIndex, payload.nextOffset)
        }
    }
}

// MARK: - What follows from the verdict

extension LogRecovery {
    private mutating func damage(
        _ offsets: Range<Offset>, _ path: String, _ position: UInt64, _ reason: String
    ) {
        report.damages.append(
            Damage(
                offsets: offsets.lowerBound.rawValue..<offsets.upperBound.rawValue, path: path,
                position: position, reason: reason))
    }

    private mutating func note(_ gaps: [RecoveryVerdict.Gap]) {
        for gap in gaps {
            let place: (path: String, position: UInt64)
            if gap.offsets.isEmpty, let run = gap.beforeRun {
                place = (found[runs[run].firstSegment].store.path, runs[run].start)
            } else if gap.afterRun >= 0 {
                let run = runs[gap.afterRun]
                place = (found[run.lastSegment].store.path, run.end)
            } else if startSegment < found.count {
                place = (found[startSegment].store.path, startPosition)
            } else {
                place = (directory, 0)
            }
            report.damages.append(
                Damage(
                    offsets: gap.offsets, path: place.path, position: place.position,
                    reason: gap.offsets.isEmpty
                        ? "bytes before this place are damaged"
                        : "acknowledged records are missing or damaged"))
        }
    }

    private mutating func assemble(
        _ verdict: RecoveryVerdict, _ regions: [DamagedRegion]?
    ) throws(LogError) -> Result {
        let evidence = verdict.kept.map { runs[$0].durableIndex }.max() ?? .zero
        let term = verdict.kept.map { runs[$0].term }.max() ?? .zero
        // Damage that others can mend stops nothing.
        let isDamaged = regions == nil
        var last = startSegment
        var lastEnd = startPosition
        if let gap = verdict.gaps.last, gap.beforeRun == nil, !isDamaged {
            // What is missing at the end may yet lie in these bytes: nothing of them is cut.
            last = found.count - 1
            lastEnd = found[last].tailEnd
            if lastEnd > found[last].store.fileSize {
                // Room for all of the last frame: what comes behind it is looked for there.
                let file = found[last].store.file
                try onDisk { () throws(FileError) in try file.truncate(to: lastEnd) }
            }
        } else if let run = verdict.kept.last {
            last = runs[run].lastSegment
            lastEnd = runs[run].end
        } else if last < found.count, found[last].wasScanned, !isDamaged,
            lastEnd == UInt64(StoreHeader.size),
            found[last].store.header.baseOffset != verdict.nextOffset
        {
            // Segments before it never reached the disk, so it is not the log's either.
            precondition(last == 0, "the scan begins with a segment that does not follow")
            last = -1
        }
        // A segment that was begun and got no frame follows the last one.
        if last >= 0, last + 1 < found.count, !isDamaged, found[last].end == lastEnd,
            found[last + 1].store.header.baseOffset == verdict.nextOffset,
            found[last + 1].store.header.baseIndex == verdict.nextIndex,
            !runs.contains(where: { $0.lastSegment >= last + 1 })
        {
            last += 1
            lastEnd = UInt64(StoreHeader.size)
        }
        if !isDamaged { try cut(after: last, at: lastEnd) }
        try index(verdict, last: last, lastEnd: lastEnd)
        for region in regions ?? [] {
            for number in found.indices
            where found[number].store.header.baseOffset == region.segment {
                found[number].end = max(found[number].end, region.end)
            }
        }
        var unsynced: [any File] = []
        if !isDamaged, !report.wasClean {
            unsynced = try renewTail(
                after: max(evidence, durableByCheckpoint.index), before: verdict.nextIndex,
                last: last, end: lastEnd)
        }
        let closed = try closedSegments(before: last)
        let active = try activeSegment(last, end: lastEnd, verdict)
        let durable = durableByCheckpoint
        return Result(
            closed: closed, active: active, nextIndex: verdict.nextIndex,
            nextOffset: verdict.nextOffset,
            term: Term(max(checkpoint?.term ?? .zero, term).rawValue + 1),
            logStartOffset: checkpoint?.logStartOffset ?? firstOffset(closed, active),
            durableIndex: durable.index, durableOffset: durable.offset,
            checkpointSequence: checkpoint?.sequence ?? 0, checkpoint: checkpoint,
            unsynced: unsynced, report: report,
            salts: salts, regions: regions ?? [], isUsable: !isDamaged)
    }

    private func firstOffset(_ closed: [Segment], _ active: ActiveSegment) -> Offset {
        closed.first?.baseOffset ?? active.baseOffset
    }

    /// Cuts the log behind a place: later files go first, and durably, so that none comes back.
    private mutating func cut(after last: Int, at end: UInt64) throws(LogError) {
        var removedAny = false
        for segment in found[min(last + 1, found.count)...].reversed() {
            report.cutBytes += segment.store.fileSize
            report.removedSegments.append(segment.store.header.baseOffset)
            try remove(segment: segment.store.header.baseOffset)
            removedAny = true
        }
        for base in survey.unfinished {
            try remove(segment: base)
            removedAny = true
        }
        for name in survey.orphans { try remove(name: name) }
        if removedAny {
            try onDisk { () throws(FileError) in try fileSystem.syncDirectory(directory) }
        }
        guard found.indices.contains(last), found[last].store.fileSize > end else { return }
        report.cutBytes += found[last].store.fileSize - end
        let file = found[last].store.file
        try onDisk { () throws(FileError) in
            try file.truncate(to: end)
            try file.sync()
        }
    }

    private func remove(segment base: Offset) throws(LogError) {
        try remove(name: SegmentName.store(base))
        for name in [SegmentName.index(base), SegmentName.timeIndex(base)] {
            try remove(name: name)
        }
    }

    private func remove(name: String) throws(LogError) {
        do throws(FileError) {
            try fileSystem.remove(directory + "/" + name)
        } catch  where error.reason == .notFound {
            // Index files need not be there.
        } catch {
            throw .file(error)
        }
    }

    private func closedSegments(before last: Int) throws(LogError) -> [Segment] {
        var closed: [Segment] = []
        for number in 0..<max(0, min(last, found.count)) {
            var segment = found[number]
            let isOnDisk = try saveIndex(of: &segment)
            let next = number + 1 < found.count ? found[number + 1].store.header : nil
            let maxTimestamp =
                segment.wasScanned
                ? segment.builder.maxTimestampOrNone : next?.previous?.maxTimestamp ?? .none
            closed.append(
                Segment(
                    directory: directory, fileSystem: fileSystem, store: segment.store.file,
                    header: segment.store.header, size: segment.end, maxTimestamp: maxTimestamp,
                    sparseIndex: isOnDisk ? nil : segment.builder.index.view))
        }
        return closed
    }

    /// Saves the index of a closed segment; false where it has to stay in memory, because nothing
    /// may be changed or the disk is full.
    private func saveIndex(of segment: inout Found) throws(LogError) -> Bool {
        guard segment.wasScanned else { return true }
        guard report.damages.isEmpty else { return false }
        do throws(FileError) {
            try segment.builder.save(
                in: directory, of: segment.store.header.salt, on: fileSystem)
            return true
        } catch {
            guard error.reason == .noSpace else { throw .file(error) }
            return false
        }
    }

    /// The segment to append to: the last one, or a new one where there is none.
    private mutating func activeSegment(
        _ last: Int, end: UInt64, _ verdict: RecoveryVerdict
    ) throws(LogError) -> ActiveSegment {
        if found.indices.contains(last) {
            return ActiveSegment(
                store: found[last].store.file, header: found[last].store.header, size: end,
                builder: found[last].builder)
        }
        let header = StoreHeader(
            group: survey.group, salt: salts.next(), baseOffset: verdict.nextOffset,
            baseIndex: verdict.nextIndex, previous: nil, created: now)
        return try onDisk { () throws(FileError) in
            try ActiveSegment.create(header, in: directory, on: fileSystem)
        }
    }
}
