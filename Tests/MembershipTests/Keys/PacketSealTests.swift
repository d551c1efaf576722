// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import SerfWire
import Testing

@testable import Membership

/// The cipher against what agents sent.
@Suite struct PacketSealTests {
    struct Capture: Decodable, Sendable, CustomTestStringConvertible {
        var name: String
        var transport: String
        var direction: String
        var hex: String
        var keysHex: [String]?

        var testDescription: String { name }
        var bytes: [UInt8] { PacketSealTests.bytes(hex) }
        var keys: [[UInt8]] { (keysHex ?? []).map(PacketSealTests.bytes) }
        var label: [UInt8] { name.hasPrefix("label-") ? Array("blue".utf8) : [] }
        var isDialled: Bool { direction.contains("dialled") }
        var isVersion0: Bool { name.contains("-v0-") }
        /// Where the version stands: behind label, type and length.
        var versionPlace: Int { headerSize + (transport == "tcp" ? 5 : 0) }
        var headerSize: Int { isLabelled ? 2 + label.count : 0 }
        var nonce: [UInt8] { Array(bytes[(versionPlace + 1)..<(versionPlace + 13)]) }
        var isLabelled: Bool { hex.hasPrefix("f4") }
    }

    static let captures: [Capture] = {
        struct File: Decodable { var vectors: [Capture] }
        let path = URL(filePath: #filePath)
            .appending(path: "../../../SerfWireTests/Golden/serf-vectors.json").standardized
        let file = try! JSONDecoder().decode(File.self, from: Data(contentsOf: path))
        return file.vectors.filter { $0.keysHex != nil }
    }()

    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex)
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)!
        }
    }

    /// The plain text of a capture; a dialled stream has its label's header taken off before.
    private func opened(
        _ capture: Capture, _ seal: PacketSeal, bytes: [UInt8]? = nil
    ) throws -> [UInt8] {
        let bytes = bytes ?? capture.bytes
        guard capture.transport == "tcp" else { return try seal.unseal(packet: bytes) }
        return try seal.unseal(body: Array(bytes.dropFirst(capture.headerSize)))
    }

    @Test("there are captures of all kinds") func kinds() {
        #expect(Self.captures.count == 13)
        #expect(Set(Self.captures.map(\.transport)) == ["udp", "tcp"])
        #expect(Self.captures.count(where: \.isVersion0) == 3)
    }

    @Test("a capture is opened with any place of its key", arguments: captures)
    func opens(capture: Capture) throws {
        let keys = capture.keys
        let plain = try opened(capture, PacketSeal(keys: keys, label: capture.label))
        let rings = [keys + [otherKey.bytes], [GossipKey.random().bytes] + keys]
        for keys in rings {
            #expect(try opened(capture, PacketSeal(keys: keys, label: capture.label)) == plain)
        }
        if capture.transport == "tcp" {
            _ = try StreamBody.decode(plain)
        } else {
            var unreadable = 0
            #expect(try !Packet.decode(plain, unreadable: &unreadable).isEmpty)
            #expect(unreadable == 0)
        }
    }

    @Test("sealed with a capture's nonce, the same bytes come out", arguments: captures)
    func seals(capture: Capture) throws {
        // Version 0 is only read.
        guard !capture.isVersion0 else { return }
        let opening = PacketSeal(keys: capture.keys, label: capture.label)
        let plain = try opened(capture, opening)
        let nonce = try AES.GCM.Nonce(data: capture.nonce)
        let sealed = try capture.keys.map { key in
            let seal = PacketSeal(keys: [key], label: capture.label)
            guard capture.transport == "tcp" else { return seal.seal(packet: plain, nonce: nonce) }
            return try #require(
                seal.seal(body: plain, isDialled: capture.isDialled, nonce: nonce))
        }
        #expect(sealed.contains(capture.bytes))
    }

    @Test("a capture with any bit turned, or cut off, is refused", arguments: captures)
    func damaged(capture: Capture) throws {
        let seal = PacketSeal(keys: capture.keys, label: capture.label)
        var generator = SystemRandomNumberGenerator()
        let bytes = capture.bytes
        // A stream's label is looked at before; the version is the one byte that nothing proves.
        let first = capture.transport == "tcp" ? capture.headerSize : 0
        let version = capture.versionPlace
        for place in first..<bytes.count where place != version {
            var damaged = bytes
            damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            #expect(throws: (any Error).self) { try opened(capture, seal, bytes: damaged) }
        }
        for count in 0..<bytes.count {
            let cut = Array(bytes[..<count])
            #expect(throws: (any Error).self) { try opened(capture, seal, bytes: cut) }
        }
    }

    @Test("another key, another label, or none opens nothing", arguments: captures)
    func strangers(capture: Capture) {
        let seals = [
            PacketSeal(keys: [GossipKey.random().bytes], label: capture.label),
            PacketSeal(keys: capture.keys, label: Array("green".utf8)),
        ]
        for seal in seals {
            #expect(throws: (any Error).self) { try opened(capture, seal) }
        }
    }

    @Test("what is sealed is opened, with each size of key, and no nonce comes twice")
    func roundTrip() throws {
        var nonces: Set<[UInt8]> = []
        for size in [16, 24, 32] {
            let seal = PacketSeal(keys: [[UInt8](repeating: 9, count: size)], label: [1, 2])
            for count in [0, 1, 15, 16, 17, 1400] {
                let plain = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
                let packet = seal.seal(packet: plain)
                #expect(packet.count == plain.count + seal.packetOverhead)
                #expect(try seal.unseal(packet: packet) == plain)
                nonces.insert(Array(packet[5..<17]))
                let body = try #require(seal.seal(body: plain, isDialled: false))
                #expect(try seal.unseal(body: body) == plain)
            }
        }
        #expect(nonces.count == 18)
    }

    @Test("a body that no peer would take is not sealed") func tooLong() {
        let seal = PacketSeal(keys: [someKey.bytes], label: [])
        let body = [UInt8](repeating: 0, count: EncryptedFrame.streamFrameMax)
        #expect(seal.seal(body: body, isDialled: true) == nil)
    }
}
