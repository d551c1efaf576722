// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore
import SerfCore
import SerfWire
import Testing

@testable import Membership

/// What forged packets in great numbers can do.
@Suite struct FloodTests {
    /// Sends forged packets as fast as one socket can.
    private static func flood(_ endpoint: Endpoint, count: Int) async throws {
        let target = try #require(endpoint.socketAddress)
        try await Task.detached {
            let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
            try #require(descriptor >= 0)
            defer { close(descriptor) }
            var packet: [UInt8] = [1] + (0..<120).map { UInt8($0) }
            for number in 0..<count {
                withUnsafeBytes(of: number) { packet.replaceSubrange(1..<9, with: $0) }
                _ = target.withSockAddr { address, size in
                    sendto(descriptor, packet, packet.count, 0, address, socklen_t(size))
                }
            }
        }.value
    }

    @Test("100,000 forged packets neither stop two nodes nor make them fail each other")
    func forged() async throws {
        try await withPair {
            $0.keys = [someKey]
        } _: { first, second in
            let endpoint = try await first.boundEndpoint
            let events = [first.events(), second.events()]
            async let flood: Void = Self.flood(endpoint, count: 100_000)
            // While they come, the node answers its callers.
            for number in 0..<5 {
                for _ in 0..<100 { #expect(try await first.members.count == 2) }
                try await first.setTags(["number": "\(number)"])
            }
            try await flood
            try await eventually("forged packets were counted") {
                try await first.dropped(.undecryptable) > 1000
            }
            try await eventually("both hear each other") {
                try await second.query(.ping).all().acks.sorted() == ["first", "second"]
            }
            for (node, stream) in zip([first, second], events) {
                #expect(try await node.statistics.members[.alive] == 2)
                await node.close()
                for await case .event(.failed(let members)) in stream {
                    Issue.record("\(members.map(\.name)) failed")
                }
            }
        }
    }

    @Test("garbage without keys does no harm either") func garbage() async throws {
        try await withPair { first, second in
            try await RawPeer.with { peer in
                let endpoint = try await first.boundEndpoint
                for _ in 0..<5000 {
                    let count = Int.random(in: 0...200)
                    let bytes = (0..<count).map { _ in UInt8.random(in: 0...255) }
                    try await peer.send(bytes, to: endpoint)
                }
            }
            let pinged = try await second.query(.ping).all()
            #expect(pinged.acks.sorted() == ["first", "second"])
            #expect(try await first.status(of: "second") == .alive)
            #expect(try await first.dropped(.malformed) > 1000)
        }
    }
}
