// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Bytes that must stay what they are; `REWRITE=1` writes them anew, for a change of format that a
/// decision page explains.
enum Golden {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Golden")

    static func hex(_ bytes: [UInt8]) -> String {
        var lines: [String] = []
        for start in stride(from: 0, to: bytes.count, by: 16) {
            let line = bytes[start..<min(start + 16, bytes.count)]
            lines.append(line.map { String(format: "%02x", $0) }.joined(separator: " "))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    static func expect(_ bytes: [UInt8], are name: String) throws {
        let file = folder.appendingPathComponent(name + ".hex")
        if ProcessInfo.processInfo.environment["REWRITE"] == "1" {
            try hex(bytes).write(to: file, atomically: true, encoding: .utf8)
        }
        let expected = try String(contentsOf: file, encoding: .utf8)
        #expect(hex(bytes) == expected, "\(name)")
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        let file = folder.appendingPathComponent(name + ".hex")
        return try String(contentsOf: file, encoding: .utf8).split(whereSeparator: \.isWhitespace)
            .compactMap { UInt8($0, radix: 16) }
    }
}
