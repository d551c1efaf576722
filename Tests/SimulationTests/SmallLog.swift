// SPDX-License-Identifier: Apache-2.0

import CommitLog
import Disk
import Records
import SimulatedDisk
import Testing

/// A log of a few batches, and what is known of it, to be damaged in every way.
struct SmallLog {
    /// How the log's last life ended.
    enum End: Sendable, CaseIterable {
        /// In order.
        case closed
        /// By a process end, the last two batches not synced; each sync made a checkpoint.
        case killed
        /// By a process end after it went idle, without a checkpoint that vouches for anything.
        case killedIdle
    }

    /// A frame of a store, and where it lies.
    struct Frame {
        var store: String
        var bytes: Range<Int>
        var offsets: Range<Int64>
    }

    static let directory = "/log"
    static let group: UInt64 = 77

    let disk: SimulatedFileSystem
    var frames: [Frame] = []
    var batches: [Int64: [UInt8]] = [:]
    /// What was acknowledged.
    var acknowledged: Int64 = 0

    init(_ end: End, segmentSizeMax: Int) throws {
        disk = SimulatedFileSystem(seed: 5)
        try disk.createDirectory(Self.directory)
        try disk.syncDirectory("/")
        var settings = LogSettings()
        settings.segmentSizeMax = segmentSizeMax
        settings.indexInterval = 200
        settings.checkpointInterval = end == .killed ? 1 : 1 << 30
        let log = try Self.open(disk, settings)
        for number in 0..<7 {
            if number == 5 {
                try log.sync()
                acknowledged = log.highWatermark.rawValue
            }
            try append(number, to: log)
        }
        switch end {
        case .closed:
            try log.close()
            acknowledged = log.nextOffset.rawValue
        case .killed: disk.crashKeepingCache()
        case .killedIdle:
            try log.sync()
            try log.markIdle()
            acknowledged = log.nextOffset.rawValue
            disk.crashKeepingCache()
        }
        try findFrames()
    }

    static func open(
        _ disk: SimulatedFileSystem, _ settings: LogSettings = LogSettings()
    ) throws -> Log {
        try Log(
            directory: directory, group: group, on: disk, settings: settings,
            now: Timestamp(milliseconds: 1000), seed: 99)
    }

    private mutating func append(_ number: Int, to log: Log) throws {
        var builder = BatchBuilder()
        for record in 0...(number % 3) {
            builder.append(
                key: [UInt8(number)], value: Array("value \(number).\(record)".utf8),
                timestamp: Timestamp(milliseconds: Int64(number * 10 + record)))
        }
        let buffer = builder.finish()
        let result = log.append([buffer], now: Timestamp(milliseconds: 1000))
        #expect(result.failure == nil)
        let header = BatchHeader(reading: buffer.bytes)
        #expect(result.outcomes == [.appended(header.baseOffset)])
        batches[header.baseOffset.rawValue] = Array(buffer.bytes)
    }

    private mutating func findFrames() throws {
        for name in try disk.list(Self.directory) where name.hasSuffix(".store") {
            let store = Self.directory + "/" + name
            let bytes = try #require(disk.contents(store))
            var position = StoreHeader.size
            while position < bytes.count {
                let frame = try bytes.withUnsafeBytes {
                    try FrameHeader(
                        checking: UnsafeRawBufferPointer(rebasing: $0[position...]),
                        group: Self.group, salt: nil)
                }
                let offsets = frame.baseOffset.rawValue..<frame.endOffset.rawValue
                frames.append(
                    Frame(
                        store: store, bytes: position..<(position + frame.frameLength),
                        offsets: offsets))
                position += frame.frameLength
            }
        }
    }

    /// All paths of the log's files.
    func paths() throws -> [String] {
        try disk.list(Self.directory).map { Self.directory + "/" + $0 }
    }

    /// Opens a damaged copy and checks that the outcome is a defined one: what can be read is what
    /// was written, what was acknowledged and cannot be read is reported lost, and nothing but what
    /// may be lost is.
    ///
    /// - Parameters:
    ///   - copy: The damaged disk.
    ///   - lossable: The offsets that the damage has hit.
    ///   - context: What was done, for messages.
    func check(_ copy: SimulatedFileSystem, lossable: Range<Int64>, _ context: String) {
        let log: Log
        do {
            log = try Self.open(copy)
        } catch {
            Issue.record("\(context): cannot be opened: \(error)")
            return
        }
        var reported: Set<Int64> = []
        for damage in log.recovery.damages { reported.formUnion(damage.offsets) }
        #expect(log.isReadOnly == !log.recovery.damages.isEmpty, "\(context)")
        #expect(
            reported.allSatisfy { lossable.contains($0) },
            "\(context): reported \(reported.sorted()), hit only \(lossable)")
        let snapshot = log.snapshot
        for offset in 0..<acknowledged {
            switch read(snapshot, offset) {
            case .success(let bytes)?:
                let base = bytes.withUnsafeBytes { BatchHeader(reading: $0).baseOffset.rawValue }
                #expect(batches[base] == bytes, "\(context): wrong bytes at \(offset)")
                #expect(!reported.contains(offset), "\(context): \(offset) is not lost")
            case .failure(let damage)?:
                #expect(
                    damage.offsets.contains(offset) && lossable.contains(offset),
                    "\(context): \(offset) refused for \(damage)")
            case nil:
                #expect(
                    reported.contains(offset),
                    "\(context): acknowledged \(offset) is gone without a word")
            }
        }
        if log.nextOffset.rawValue > acknowledged, !log.isReadOnly {
            for offset in acknowledged..<log.nextOffset.rawValue {
                guard case .success(let bytes)? = read(snapshot, offset) else {
                    Issue.record("\(context): \(offset) is in the log and cannot be read")
                    continue
                }
                let base = bytes.withUnsafeBytes { BatchHeader(reading: $0).baseOffset.rawValue }
                #expect(batches[base] == bytes, "\(context): wrong bytes at \(offset)")
            }
        }
        if !log.isReadOnly {
            var builder = BatchBuilder()
            builder.append(key: nil, value: [1], timestamp: Timestamp(milliseconds: 1))
            let result = log.append([builder.finish()], now: Timestamp(milliseconds: 2000))
            #expect(result.failure == nil, "\(context): no append")
        }
    }

    /// The batch that holds an offset, the damage that stands there, or neither.
    private func read(_ snapshot: LogSnapshot, _ offset: Int64) -> Result<[UInt8], ReadDamage>? {
        do throws(LogError) {
            let result = try snapshot.read(from: Offset(offset), bytesMax: 1, verifying: true)
            var first: [UInt8]?
            result.batches.forEachBatch { bytes in
                if first == nil { first = Array(bytes) }
            }
            guard let first else { return nil }
            let header = first.withUnsafeBytes { BatchHeader(reading: $0) }
            // A read of a lost offset may go on behind it; that is no answer for this one.
            let range = header.baseOffset.rawValue..<header.endOffset.rawValue
            return range.contains(offset) ? .success(first) : nil
        } catch {
            guard case .damaged(let damage) = error else { return nil }
            return .failure(ReadDamage(offsets: damage.offsets))
        }
    }
}

struct ReadDamage: Error {
    var offsets: Range<Int64>
}
