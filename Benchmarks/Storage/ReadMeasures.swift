// SPDX-License-Identifier: Apache-2.0

import CommitLog
import Disk
import PosixDisk
import Records

/// How fast records come out, and how fast a log opens.
struct ReadMeasures {
    let root: String
    let rounds: Int
    let bytes: Int

    /// All batches of a log in the page cache, each checked, beside `pread` of the same file.
    func readSequentially() throws -> Outcome {
        let scratch = try Scratch(root, "read")
        defer { try? scratch.clear() }
        let log = try fill(scratch, bytes: bytes, segment: 1 << 30)
        let store = try scratch.fileSystem.open(
            scratch.path + "/" + storeNames(scratch)[0], .read)
        let size = try Int(store.size())
        var plain: [Double] = []
        var engine: [Double] = []
        for round in 0...rounds {
            let first = try Measure.seconds { try readPlainly(store, size) }.0
            let second = try Measure.seconds { try readAll(log.snapshot) }
            guard round > 0 else { continue }
            plain.append(Double(size) / first)
            engine.append(Double(second.1) / second.0)
        }
        return AppendMeasures(root: root, rounds: rounds, bytes: bytes).ratio(
            "read with checksums, page cache", engine, plain, bound: 0.70)
    }

    /// What a consumer's stream reads at a time, unless it asks for less.
    private static let chunk = 1 << 20

    private func readPlainly(_ file: any File, _ size: Int) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunk, alignment: 16)
        defer { buffer.deallocate() }
        var position = 0
        while position < size {
            position += try file.read(into: buffer, at: UInt64(position))
        }
    }

    private func readAll(_ snapshot: LogSnapshot) throws -> Int {
        var offset = snapshot.logStartOffset
        var bytes = 0
        while offset < snapshot.highWatermark {
            let batches = try snapshot.read(
                from: offset, bytesMax: Self.chunk, verifying: true
            ).batches
            bytes += batches.byteCount
            offset = batches.nextOffset
        }
        return bytes
    }

    /// A log that was closed in order, in many segments.
    func openCleanly(bytes: Int, segments: Int) throws -> Outcome {
        let scratch = try Scratch(root, "open")
        defer { try? scratch.clear() }
        let log = try fill(scratch, bytes: bytes, segment: bytes / segments)
        try log.close()
        var times: [Double] = []
        for round in 0...rounds {
            let opened = try Measure.seconds { try open(scratch, .whenSynced) }
            guard round > 0 else { continue }
            times.append(opened.0 * 1000)
            guard opened.1.recovery.wasClean else { throw Unexpected("the log was not clean") }
        }
        let count = try storeNames(scratch).count
        return Outcome(
            name: "open after a clean stop", value: Measure.median(times), unit: "ms", bound: 100,
            isCeiling: true, detail: "\(bytes >> 20) MiB in \(count) segments")
    }

    /// A log that was not closed, all of it above the checkpoint.
    func recover() throws -> Outcome {
        let scratch = try Scratch(root, "recover")
        defer { try? scratch.clear() }
        _ = try fill(scratch, bytes: bytes, segment: 1 << 30)
        var rates: [Double] = []
        for round in 0...rounds {
            let opened = try Measure.seconds { try open(scratch, .whenWritten) }
            guard round > 0 else { continue }
            let scanned = opened.1.recovery.scannedBytes
            guard scanned >= UInt64(bytes) else { throw Unexpected("scanned \(scanned) bytes") }
            rates.append(Double(scanned) / opened.0 / 1e9)
        }
        return Outcome(
            name: "recovery after a crash", value: Measure.median(rates), unit: "GB/s", bound: 1,
            detail: "of unsynced tail, \(bytes >> 20) MiB")
    }

    /// Ten thousand logs of ten segments, all open in one process and each read once.
    func openManyLogs(_ count: Int) throws -> Outcome {
        let scratch = try Scratch(root, "many")
        defer { try? scratch.clear() }
        let limit = 256
        let disk = PosixFileSystem(descriptorLimit: limit)
        let record = Record(
            value: [UInt8](repeating: 0x61, count: 900), timestamp: Timestamp(milliseconds: 1))
        var logs: [Log] = []
        var most = 0
        for number in 0..<count {
            let directory = scratch.path + "/\(number)"
            try disk.createDirectory(directory)
            let log = try Log(
                directory: directory, group: UInt64(number), on: disk,
                settings: Workload.settings(.whenWritten, segment: 1 << 10),
                now: Timestamp(milliseconds: 1), seed: UInt64(number))
            for _ in 0..<10 {
                var builder = BatchBuilder()
                builder.append(record)
                let result = log.append([builder.finish()], now: Timestamp(milliseconds: 1))
                if let failure = result.failure { throw failure }
            }
            try log.sync()
            logs.append(log)
            most = max(most, disk.openDescriptors)
        }
        for log in logs {
            guard log.segmentCount == 10 else { throw Unexpected("\(log.segmentCount) segments") }
            _ = try log.snapshot.read(from: .zero, bytesMax: 1, verifying: true)
            most = max(most, disk.openDescriptors)
        }
        return Outcome(
            name: "\(count) logs of 10 segments, all open", value: Double(most),
            unit: "descriptors", bound: Double(limit), isCeiling: true, detail: "in one process")
    }

    private func fill(_ scratch: Scratch, bytes: Int, segment: Int) throws -> Log {
        let log = try Log(
            directory: scratch.path, group: 1, on: scratch.fileSystem,
            settings: Workload.settings(.whenWritten, segment: segment),
            now: Timestamp(milliseconds: 1), seed: 1)
        let batch = Workload.batch()
        var written = 0
        while written < bytes {
            let result = log.append([batch], now: Timestamp(milliseconds: 1))
            if let failure = result.failure { throw failure }
            written += batch.count
        }
        return log
    }

    private func open(_ scratch: Scratch, _ rule: LogSettings.CommitRule) throws -> Log {
        try Log(
            directory: scratch.path, group: 1, on: scratch.fileSystem,
            settings: Workload.settings(rule), now: Timestamp(milliseconds: 1), seed: 2)
    }

    private func storeNames(_ scratch: Scratch) throws -> [String] {
        try scratch.fileSystem.list(scratch.path).filter { $0.hasSuffix(".store") }
    }

    struct Unexpected: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}
