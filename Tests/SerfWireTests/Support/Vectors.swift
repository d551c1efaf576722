// SPDX-License-Identifier: Apache-2.0

import Foundation
import SerfWire
import Testing

/// A capture of `Golden/serf-vectors.json`: bytes that an agent sent, and what they say.
struct Vector: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let source: String
    /// `udp`, `tcp`, `tcp (IPC port)` or `lzw`.
    let transport: String
    let hex: String
    let responseHex: String?
    let decoded: JSONValue

    var bytes: [UInt8] { hexBytes(hex) }
    var testDescription: String { name }
    /// The label that the bytes begin with; that of the reply is said in no byte of it.
    var label: [UInt8] { [UInt8]((decoded["label"]?.text ?? "").utf8) }
    var isEncrypted: Bool {
        name.contains("encrypted") && name != "tcp-error-encrypted-to-plain"
            || name == "tcp-error-plain-to-encrypted"
    }

    static let all: [Vector] = {
        struct File: Decodable { let vectors: [Vector] }
        let place = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Golden/serf-vectors.json")
        do {
            return try JSONDecoder().decode(File.self, from: Data(contentsOf: place)).vectors
        } catch {
            preconditionFailure("the golden vectors cannot be read: \(error)")
        }
    }()
    /// Packets and streams that need no key.
    static let packets = all.filter { $0.transport == "udp" && !$0.isEncrypted }
    static let streams = all.filter { $0.transport == "tcp" && !$0.isEncrypted }
    static let encryptedPackets = all.filter { $0.transport == "udp" && $0.isEncrypted }
    static let encryptedStreams = all.filter { $0.transport == "tcp" && $0.isEncrypted }
    static let clients = all.filter { $0.transport == "tcp (IPC port)" }
    static let compressions = all.filter { $0.transport == "lzw" }

    /// The capture of a name.
    static func named(_ name: String) -> Vector {
        guard let vector = all.first(where: { $0.name == name }) else {
            preconditionFailure("there is no vector \(name)")
        }
        return vector
    }
}

/// The bytes of hexadecimal digits.
func hexBytes(_ text: String) -> [UInt8] {
    let digits = Array(text.utf8.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") })
    return stride(from: 0, to: digits.count - 1, by: 2).map { start in
        let pair = String(decoding: digits[start...(start + 1)], as: UTF8.self)
        guard let byte = UInt8(pair, radix: 16) else { preconditionFailure("\(pair) is no byte") }
        return byte
    }
}

/// Bytes as hexadecimal digits.
func hexText(_ bytes: some Collection<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
