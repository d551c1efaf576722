// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Disk
internal import Records

/// Makes a damaged log writable again, by giving up what cannot be read.
///
/// Nothing is thrown away: damaged bytes stay where they are, inside a gap frame that says which
/// offsets they were; files that are not this log's get another name. Lost offsets stay lost: they
/// are never given to other records.
public struct LogRepair {
    /// What a repair did.
    public struct Report: Sendable, Equatable {
        /// The offsets that were given up.
        public var givenUp: [Range<Int64>] = []
        /// Files that were put aside, under their new names.
        public var renamed: [String] = []
        /// Stores whose header was made anew.
        public var headersRestored: [String] = []
        /// The log start offset, if it had to move.
        public var logStartOffset: Int64?
    }

    private let directory: String
    private let fileSystem: any FileSystem
    private let group: UInt64
    private var recovery: LogRecovery
    private var report = Report()

    /// Repairs the log in a directory.
    ///
    /// The server that owns it must not be running.
    ///
    /// Does nothing to a log without damage.
    public static func repair(
        directory: String, on fileSystem: any FileSystem
    ) throws(LogError) -> Report {
        var repair = try LogRepair(directory: directory, on: fileSystem)
        return try repair.run()
    }

    private init(directory: String, on fileSystem: any FileSystem) throws(LogError) {
        self.directory = directory
        self.fileSystem = fileSystem
        group = try LogGroup.find(in: directory, on: fileSystem)
        recovery = try LogRecovery(
            directory: directory, group: group, fileSystem: fileSystem, settings: LogSettings(),
            now: .none, seed: 0)
    }

    private mutating func run() throws(LogError) -> Report {
        let verdict = try recovery.inspect()
        guard !recovery.report.damages.isEmpty else { return report }
        try onDisk { () throws(FileError) in
            try dropProducers()
            try putAside()
            for (number, found) in recovery.found.enumerated() {
                try mend(number, found, verdict)
            }
            try relink()
            try dropIndexes()
            try fileSystem.syncDirectory(directory)
            try writeCheckpoint(verdict)
        }
        return report
    }

    /// Has the next start find out about idempotent producers from what is left of the log.
    private func dropProducers() throws(FileError) {
        let path = directory + "/" + ProducerSnapshot.name
        guard try fileSystem.status(of: path) != nil else { return }
        try fileSystem.remove(path)
        try fileSystem.syncDirectory(directory)
    }

    /// Renames stores that another log's or segment's content made useless here.
    private mutating func putAside() throws(FileError) {
        for damage in recovery.survey.damages {
            let isKept = recovery.survey.stores.contains { $0.path == damage.path }
            guard !isKept else { continue }
            try fileSystem.rename(damage.path, to: damage.path + ".damaged")
            report.renamed.append(damage.path + ".damaged")
        }
        for base in recovery.survey.unfinished {
            let path = directory + "/" + SegmentName.store(base)
            try fileSystem.rename(path, to: path + ".damaged")
            report.renamed.append(path + ".damaged")
        }
    }

    /// Puts gap frames where a segment's runs do not follow each other.
    private mutating func mend(
        _ number: Int, _ found: LogRecovery.Found, _ verdict: RecoveryVerdict
    ) throws(FileError) {
        var position = UInt64(StoreHeader.size)
        var nextIndex = found.store.header.baseIndex
        var nextOffset = found.store.header.baseOffset
        for run in verdict.kept.map({ recovery.runs[$0] })
        where run.firstSegment <= number && run.lastSegment >= number {
            if run.firstSegment == number {
                if run.start > position {
                    try writeGap(
                        found.store, position..<run.start, nextIndex, nextOffset, run.firstIndex,
                        run.firstOffset, run.term)
                }
            }
            if run.lastSegment == number {
                position = run.end
                nextIndex = run.nextIndex
                nextOffset = run.nextOffset
            } else {
                // It goes on in the next segment: this one is whole.
                position = found.end
                nextIndex = nextHeader(number)?.baseIndex ?? run.nextIndex
                nextOffset = nextHeader(number)?.baseOffset ?? run.nextOffset
            }
        }
        let end: (index: LogIndex, offset: Offset)
        if let next = nextHeader(number) {
            end = (next.baseIndex, next.baseOffset)
        } else {
            end = (verdict.nextIndex, verdict.nextOffset)
        }
        guard end.offset > nextOffset || end.index > nextIndex else {
            // Whatever stands behind the last frame was never acknowledged.
            if found.store.fileSize > position { try found.store.file.truncate(to: position) }
            try found.store.file.sync()
            return
        }
        let size = UInt64(FrameHeader.size + GapPayload.size)
        let limit = max(found.store.fileSize, position + size)
        try writeGap(
            found.store, position..<limit, nextIndex, nextOffset, end.index, end.offset, Term(1))
    }

    private func nextHeader(_ number: Int) -> StoreHeader? {
        number + 1 < recovery.found.count ? recovery.found[number + 1].store.header : nil
    }

    /// Turns a stretch of a store into one frame that says what is lost.
    private mutating func writeGap(
        _ store: LogSurvey.Store, _ bytes: Range<UInt64>, _ index: LogIndex, _ offset: Offset,
        _ nextIndex: LogIndex, _ nextOffset: Offset, _ term: Term
    ) throws(FileError) {
        let lost = nextOffset.distance(from: offset)
        let length = Int(bytes.upperBound - bytes.lowerBound) - FrameHeader.size
        var payload: [UInt8] = []
        if length >= GapPayload.size {
            payload.appendBigEndian(nextIndex.rawValue)
            payload.appendBigEndian(nextOffset.rawValue)
            let rest = bytes.lowerBound + UInt64(FrameHeader.size + GapPayload.size)
            payload += try store.file.bytes(at: rest, count: length - GapPayload.size)
            payload += [UInt8](repeating: 0, count: length - payload.count)
        }
        // A stretch too short for a gap was a mark, and holds no offsets.
        let isMark = payload.isEmpty
        let frame = FrameHeader(
            kind: isMark ? .mark : .gap, payloadLength: payload.count,
            recordCount: isMark ? 0 : lost, group: group, salt: store.header.salt,
            index: isMark ? LogIndex(index.rawValue - 1) : index, term: term, baseOffset: offset,
            maxTimestamp: .none, durableIndex: isMark ? .zero : LogIndex(index.rawValue - 1),
            payloadChecksum: CRC32C.checksum(payload))
        var envelope = [UInt8](repeating: 0, count: FrameHeader.size)
        unsafe envelope.withUnsafeMutableBytes { unsafe frame.write(to: $0) }
        try store.file.write(envelope + payload, at: bytes.lowerBound)
        try store.file.sync()
        if lost > 0 { report.givenUp.append(offset.rawValue..<nextOffset.rawValue) }
    }

    /// Makes each header sound, and each store vouch for the one before it as that is now.
    private mutating func relink() throws(FileError) {
        var previous: StoreHeader.Previous?
        for found in recovery.found {
            var header = found.store.header
            let size = try found.store.file.size()
            if found.store.headerIsRebuilt || header.previous != previous {
                header.previous = previous
                try found.store.file.write(header.encoded, at: 0)
                try found.store.file.sync()
                report.headersRestored.append(found.store.path)
            }
            previous = StoreHeader.Previous(
                baseOffset: header.baseOffset, size: size,
                maxTimestamp: found.builder.maxTimestampOrNone)
        }
    }

    private func dropIndexes() throws(FileError) {
        for found in recovery.found {
            let base = found.store.header.baseOffset
            for name in [SegmentName.index(base), SegmentName.timeIndex(base)] {
                let path = directory + "/" + name
                if try fileSystem.status(of: path) != nil { try fileSystem.remove(path) }
            }
        }
    }

    /// Writes a checkpoint that has the next start scan everything.
    private mutating func writeCheckpoint(_ verdict: RecoveryVerdict) throws(FileError) {
        let first = recovery.found.first?.store.header
        let start = max(
            recovery.checkpoint?.logStartOffset ?? .zero, first?.baseOffset ?? verdict.nextOffset)
        if start != recovery.checkpoint?.logStartOffset { report.logStartOffset = start.rawValue }
        let checkpoint = Checkpoint(
            sequence: (recovery.checkpoint?.sequence ?? 0) + 1, group: group, isClean: false,
            term: recovery.checkpoint?.term ?? Term(1), logStartOffset: start,
            segment: first?.baseOffset ?? verdict.nextOffset,
            position: UInt64(StoreHeader.size), nextIndex: first?.baseIndex ?? verdict.nextIndex,
            nextOffset: first?.baseOffset ?? verdict.nextOffset, maxTimestamp: .none)
        if recovery.found.isEmpty {
            let header = StoreHeader(
                group: group, salt: verdict.nextIndex.rawValue, baseOffset: verdict.nextOffset,
                baseIndex: verdict.nextIndex, previous: nil, created: .none)
            _ = try ActiveSegment.create(header, in: directory, on: fileSystem)
        }
        let path = directory + "/" + SegmentName.checkpoint
        let isThere = try fileSystem.status(of: path) != nil
        let file = try fileSystem.open(path, isThere ? .readWrite : .create)
        try Log.write(checkpoint, to: file)
        try fileSystem.syncDirectory(directory)
    }
}
