// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Disk
internal import Records

/// Reads all of a log that no server has open, and says what it found.
public enum LogVerifier {
    /// What a log holds.
    public struct Report: Sendable, Equatable {
        /// The log's directory.
        public var directory: String
        public var segmentCount = 0
        public var batchCount = 0
        public var recordCount = 0
        /// Bytes of all stores.
        public var byteCount: UInt64 = 0
        /// The offsets that the log covers.
        public var offsets: Range<Int64> = 0..<0
        /// What is not as it was written.
        public var damages: [Damage] = []
        /// Bytes of a torn tail, which the next start cuts.
        public var tornBytes: UInt64 = 0
        /// Ranges that an earlier repair gave up.
        public var givenUp: [Range<Int64>] = []
        /// Segments whose index is missing or damaged; it is made anew when it is needed.
        public var segmentsWithoutIndex: [Int64] = []
        /// Files that are not a log's.
        public var strayNames: [String] = []
        /// There is no sound checkpoint.
        public var checkpointIsLost = false

        /// Whether nothing acknowledged is missing.
        public var isSound: Bool { damages.isEmpty }
    }

    /// Verifies the log in a directory: every frame, every checksum, every record.
    ///
    /// Changes nothing. The server that owns the directory must not be running.
    ///
    /// - Parameter progress: Called now and then with bytes read and bytes to read.
    public static func verify(
        directory: String, on fileSystem: any FileSystem,
        progress: (_ read: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws(LogError) -> Report {
        let group = try LogGroup.find(in: directory, on: fileSystem)
        var recovery = try LogRecovery(
            directory: directory, group: group, fileSystem: fileSystem, settings: LogSettings(),
            now: .none, seed: 0)
        let verdict = try recovery.inspect()
        var report = Report(directory: directory)
        report.segmentCount = recovery.survey.stores.count
        report.damages = recovery.report.damages
        report.strayNames = recovery.report.strayNames
        report.checkpointIsLost = recovery.report.checkpointWasLost
        let start = recovery.checkpoint?.logStartOffset ?? .zero
        let first = recovery.survey.stores.first?.header.baseOffset ?? .zero
        let low = max(start, first).rawValue
        report.offsets = low..<max(low, verdict.nextOffset.rawValue)
        report.byteCount = recovery.survey.stores.reduce(0) { $0 + $1.fileSize }
        report.tornBytes = torn(recovery, verdict)
        let total = report.byteCount
        var read: UInt64 = 0
        for store in recovery.survey.stores {
            try count(store, group, into: &report) { bytes in
                progress(read + bytes, total)
            }
            read += store.fileSize
            let builder = try onDisk { () throws(FileError) in
                try IndexBuilder.load(
                    header: store.header, of: store.file, end: store.fileSize, in: directory,
                    on: fileSystem)
            }
            if builder.index.count == 0, store.fileSize > UInt64(StoreHeader.size) {
                report.segmentsWithoutIndex.append(store.header.baseOffset.rawValue)
            }
        }
        progress(total, total)
        return report
    }

    private static func torn(_ recovery: LogRecovery, _ verdict: RecoveryVerdict) -> UInt64 {
        guard recovery.report.damages.isEmpty else { return 0 }
        var bytes: UInt64 = 0
        let last = verdict.kept.last.map { recovery.runs[$0] }
        for (number, found) in recovery.found.enumerated() {
            let keeps = last.map { number <= $0.lastSegment } ?? (number == 0)
            if !keeps {
                bytes += found.store.fileSize - UInt64(StoreHeader.size)
            } else if number == last?.lastSegment ?? 0 {
                bytes += found.store.fileSize - (last?.end ?? UInt64(StoreHeader.size))
            }
        }
        return bytes
    }

    /// Counts the frames of a store and looks inside its batches.
    private static func count(
        _ store: LogSurvey.Store, _ group: UInt64, into report: inout Report,
        progress: (UInt64) -> Void
    ) throws(LogError) {
        let scanner = StoreScanner(
            store.file, group: group, salt: store.header.salt, from: UInt64(StoreHeader.size),
            end: store.fileSize)
        var lastProgress: UInt64 = 0
        while true {
            let item = try onDisk { () throws(FileError) in try scanner.next() }
            switch item {
            case .end: return
            case .flaw(_, let header):
                let behind = scanner.position + UInt64(header.map { $0.frameLength } ?? 1)
                let next = try onDisk { () throws(FileError) in
                    try scanner.seekFrame(from: behind)
                }
                if next == nil { return }
            case .frame(let frame):
                let position = scanner.position - UInt64(frame.payloadLength)
                if frame.kind == .batch {
                    report.batchCount += 1
                    report.recordCount += frame.recordCount
                    try lookInside(frame, at: position, scanner, store, &report)
                } else if frame.kind == .gap {
                    report.givenUp.append(frame.baseOffset.rawValue..<frame.endOffset.rawValue)
                }
                if scanner.position - lastProgress > 16 << 20 {
                    lastProgress = scanner.position
                    progress(scanner.position)
                }
            }
        }
    }

    /// Checks that the records of an uncompressed batch can be read.
    private static func lookInside(
        _ frame: FrameHeader, at position: UInt64, _ scanner: StoreScanner,
        _ store: LogSurvey.Store, _ report: inout Report
    ) throws(LogError) {
        let flaw = try onDisk { () throws(FileError) in
            try unsafe scanner.withBytes(at: position, count: frame.payloadLength) {
                bytes -> BatchError? in
                let header = unsafe BatchHeader(reading: bytes)
                guard header.attributes.codec == CompressionCodec.none else { return nil }
                do throws(BatchError) {
                    try unsafe RecordBatch.checkRecords(RecordBatch.records(of: bytes), of: header)
                    return nil
                } catch {
                    return error
                }
            }
        }
        guard let flaw = flaw ?? nil else { return }
        report.damages.append(
            Damage(
                offsets: frame.baseOffset.rawValue..<frame.endOffset.rawValue, path: store.path,
                position: position, reason: "\(flaw)"))
    }
}

/// Finds out to which log a directory belongs, from its files alone.
enum LogGroup {
    static func find(
        in directory: String, on fileSystem: any FileSystem
    ) throws(LogError) -> UInt64 {
        let names = try onDisk { () throws(FileError) in try fileSystem.list(directory) }
        for name in names {
            guard SegmentName.base(of: name, suffix: SegmentName.storeSuffix) != nil else {
                continue
            }
            let bytes = try onDisk { () throws(FileError) in
                try fileSystem.open(directory + "/" + name, .read)
                    .bytes(at: 0, count: StoreHeader.size)
            }
            do throws(StoreHeader.Flaw) {
                return try StoreHeader(checking: bytes, group: nil).group
            } catch {
                continue
            }
        }
        if names.contains(SegmentName.checkpoint) {
            let bytes = try onDisk { () throws(FileError) in
                try fileSystem.open(directory + "/" + SegmentName.checkpoint, .read)
                    .bytes(at: 0, count: Checkpoint.fileSize)
            }
            if let group = Checkpoint.group(bytes) { return group }
        }
        throw .unusable(path: directory, reason: "holds no log")
    }
}
