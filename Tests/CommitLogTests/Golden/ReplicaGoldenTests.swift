// SPDX-License-Identifier: Apache-2.0

import CommitLog
import Disk
import Foundation
import Records
import SimulatedDisk
import Testing

/// The files of a small log of a replica: the frames of the group's own, a segment's first frame, the
/// lineage and the checkpoints of a truncation.
@Suite("The files of a replica's log")
struct ReplicaGoldenTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Files/replica")

    private func harness() throws -> ReplicaHarness {
        let harness = try ReplicaHarness(seed: 42) { $0.segmentSizeMax = 700 }
        harness.log.beginTerm(Term(1))
        _ = try harness.log.appendControl(
            .configuration, payload: Array("members 1".utf8), now: ReplicaHarness.now)
        try harness.lead(2, 0..<2)
        try harness.log.sync()
        // Cut and written anew under another term.
        try harness.log.truncate(after: LogIndex(3))
        try harness.lead(5, 1..<4)
        _ = try harness.log.appendControl(
            .configuration, payload: Array("members 1, 2".utf8), now: ReplicaHarness.now)
        try harness.append(4..<5)
        try harness.log.sync()
        try harness.log.close()
        return harness
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
        let disk = try harness().disk
        var names: [String] = []
        for name in try disk.list(LogHarness.directory) {
            let bytes = try #require(disk.contents(LogHarness.directory + "/" + name))
            let golden = Self.folder.appendingPathComponent(name + ".hex")
            if ProcessInfo.processInfo.environment["REWRITE"] == "1" {
                try hex(bytes).write(to: golden, atomically: true, encoding: .utf8)
            }
            let expected = try String(contentsOf: golden, encoding: .utf8)
            #expect(hex(bytes) == expected, "\(name)")
            names.append(name + ".hex")
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted() == names)
    }

    @Test("open as they lie in the repository")
    func goldenFilesOpen() throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory(LogHarness.directory)
        for name in try FileManager.default.contentsOfDirectory(atPath: Self.folder.path) {
            let text = try String(
                contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
            let bytes = text.split(whereSeparator: \.isWhitespace).compactMap {
                UInt8($0, radix: 16)
            }
            try disk.open(LogHarness.directory + "/" + name.dropLast(4), .create)
                .write(bytes, at: 0)
        }
        let again = try ReplicaHarness(disk: disk, seed: 1)
        #expect(again.log.recovery.wasClean)
        #expect(again.log.recovery.scannedBytes == 0)
        let lineage = again.log.lineage
        #expect(lineage.terms.map(\.term) == [Term(1), Term(2), Term(5)])
        #expect(lineage.terms.map(\.index) == [LogIndex(1), LogIndex(2), LogIndex(4)])
        #expect(lineage.configurations.map(\.index) == [LogIndex(1), LogIndex(8)])
        #expect(lineage.configurations.last?.payload == Array("members 1, 2".utf8))
        again.log.commit(upTo: again.log.lastIndex)
        #expect(try again.numbers() == [0, 1, 2, 3, 4])
        let report = try LogVerifier.verify(directory: LogHarness.directory, on: disk)
        #expect(report.isSound)
        #expect(report.strayNames.isEmpty)
        #expect(report.batchCount == 5)
    }

    @Test("show their frames of every kind")
    func dump() throws {
        let disk = try harness().disk
        var kinds: [FrameHeader.Kind] = []
        for name in try disk.list(LogHarness.directory) where name.hasSuffix(".store") {
            try SegmentDump.dump(path: LogHarness.directory + "/" + name, on: disk) { item in
                switch item {
                case .frame(let frame, _, let batch):
                    kinds.append(frame.kind)
                    #expect((batch != nil) == (frame.kind == .batch))
                case .flaw(let reason, _, _), .damagedHeader(let reason): Issue.record("\(reason)")
                case .header: break
                }
            }
        }
        #expect(
            kinds == [
                .configuration, .noOp, .batch, .noOp, .batch, .head, .batch, .batch, .head,
                .configuration, .batch,
            ])
    }
}
