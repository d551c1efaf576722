// SPDX-License-Identifier: Apache-2.0

import Bytes
import CommitLog
import Disk
import Foundation
import Records
import SimulatedDisk
import Testing

/// The checksum of some bytes, as a file holds it.
func checksum(_ bytes: [UInt8]) -> [UInt8] {
    let value = CRC32C.checksum(bytes)
    return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
}

/// The files of a small log, byte for byte: what is on disks out there must stay readable.
///
/// `REWRITE=1` writes the golden files anew, for a change of format that a decision page explains.
@Suite("The files of a log")
struct GoldenTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Files")

    private func files() throws -> [(name: String, bytes: [UInt8])] {
        let harness = try LogHarness(seed: 42) { $0.segmentSizeMax = 600 }
        try harness.append(0..<2)
        _ = harness.log.append(
            [LogHarness.batch(2, count: 2), LogHarness.batch(4)],
            now: Timestamp(milliseconds: 1_000_000))
        try harness.log.sync()
        try harness.log.markIdle()
        try harness.log.close()
        return try harness.disk.list(LogHarness.directory).map { name in
            let path = LogHarness.directory + "/" + name
            return (name, try #require(harness.disk.contents(path)))
        }
    }

    private func hex(_ bytes: [UInt8]) -> String {
        var lines: [String] = []
        for start in stride(from: 0, to: bytes.count, by: 16) {
            let line = bytes[start..<min(start + 16, bytes.count)]
            lines.append(line.map { String(format: "%02x", $0) }.joined(separator: " "))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    @Test("are the same bytes as ever")
    func sameBytes() throws {
        for (name, bytes) in try files() {
            let golden = Self.folder.appendingPathComponent(name + ".hex")
            if ProcessInfo.processInfo.environment["REWRITE"] == "1" {
                try hex(bytes).write(to: golden, atomically: true, encoding: .utf8)
            }
            let expected = try String(contentsOf: golden, encoding: .utf8)
            #expect(hex(bytes) == expected, "\(name)")
        }
    }

    @Test("open as they lie in the repository")
    func goldenFilesOpen() throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory(LogHarness.directory)
        for name in try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        where name.hasSuffix(".hex") {
            let text = try String(
                contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
            let bytes = text.split(whereSeparator: \.isWhitespace).compactMap {
                UInt8($0, radix: 16)
            }
            let path = LogHarness.directory + "/" + name.dropLast(4)
            try disk.open(path, .create).write(bytes, at: 0)
        }
        let harness = try LogHarness(disk: disk, seed: 1)
        #expect(harness.log.recovery.wasClean)
        #expect(try harness.numbers() == Array(0..<5))
    }
}
