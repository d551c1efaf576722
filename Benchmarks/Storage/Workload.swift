// SPDX-License-Identifier: Apache-2.0

import CommitLog
import Disk
import PosixDisk
import Records

/// What the measures write and read: records of 100 bytes in batches of 64 KiB.
enum Workload {
    static let recordSize = 100
    static let batchSize = 64 << 10

    /// A batch of as many records as fit, as a producer sends it.
    static func batch() -> BatchBuffer {
        var builder = BatchBuilder(capacity: batchSize)
        let value = [UInt8](repeating: 0x61, count: recordSize)
        while builder.size + recordSize + 16 <= batchSize {
            builder.append(key: nil, value: value, timestamp: Timestamp(milliseconds: 1_000_000))
        }
        return builder.finish()
    }

    /// Makes a stored batch a producer's again: the two fields outside of the checksum.
    static func reset(_ batch: BatchBuffer) {
        BatchHeader.stamp(batch.mutableBytes, baseOffset: .zero, leaderEpoch: -1)
    }

    static func settings(_ rule: LogSettings.CommitRule, segment: Int = 1 << 30) -> LogSettings {
        var settings = LogSettings()
        settings.commitRule = rule
        settings.segmentSizeMax = segment
        return settings
    }
}

/// A folder for one measure, made empty and removed afterwards.
struct Scratch {
    let path: String
    let fileSystem = PosixFileSystem()

    init(_ root: String, _ name: String) throws {
        path = root + "/" + name
        try clear()
        try fileSystem.createDirectory(path)
    }

    func clear() throws {
        try remove(path)
    }

    private func remove(_ path: String) throws {
        guard let status = try fileSystem.status(of: path) else { return }
        guard status.kind == .directory else { return try fileSystem.remove(path) }
        for name in try fileSystem.list(path) { try remove(path + "/" + name) }
        try fileSystem.removeDirectory(path)
    }
}
