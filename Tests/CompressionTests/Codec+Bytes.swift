// SPDX-License-Identifier: Apache-2.0

import Compression
import Foundation
import Testing

extension Codec {
    func compress(_ bytes: [UInt8]) throws -> [UInt8] {
        try bytes.withUnsafeBytes { try compress($0) }
    }

    func decompress(_ bytes: [UInt8], limit: Int) throws -> [UInt8] {
        try bytes.withUnsafeBytes { try decompress($0, limit: limit) }
    }
}

/// The bytes that hexadecimal digits stand for; anything between them is left out.
func hex(_ text: String) -> [UInt8] {
    let digits = Array(text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue })
    return stride(from: 0, to: digits.count - 1, by: 2).map {
        UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
}

/// Packed bytes of `Golden/`, which `Golden/make.py` had other implementations make.
struct Golden: Sendable, CustomTestStringConvertible {
    let name: String
    let codec: Codec

    var testDescription: String { name }

    init(_ name: String, _ codec: Codec) {
        self.name = name
        self.codec = codec
    }

    func bytes() throws -> [UInt8] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Golden/\(name).hex")
        return hex(try String(contentsOf: file, encoding: .utf8))
    }

    /// What all of them open to.
    static let text = [UInt8](
        (0..<3500).map { "record \($0 % 40) of the log\n" }.joined().utf8)

    static let all = [
        Golden("gzip", .gzip), Golden("gzip-two-members", .gzip),
        Golden("snappy-plain", .snappy), Golden("snappy-xerial", .snappy),
        Golden("snappy-xerial-other-versions", .snappy),
        Golden("lz4", .lz4), Golden("lz4-linked", .lz4), Golden("lz4-all-checksums", .lz4),
        Golden("lz4-64-kib-blocks", .lz4),
        Golden("zstd", .zstd), Golden("zstd-stream", .zstd), Golden("zstd-two-frames", .zstd),
    ]
}

extension Codec {
    /// Those that change bytes.
    static let packing = allCases.filter { $0 != .none }
}
