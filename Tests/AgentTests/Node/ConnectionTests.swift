// SPDX-License-Identifier: Apache-2.0

import CordwoodClient
import NIOCore
import Testing

@testable import Agent

@Suite("Connections", .timeLimit(.minutes(1)))
struct ConnectionTests {
    @Test("a silent connection is closed by the deadline, others are not")
    func silent() async throws {
        try await withNode {
            $0.limits.handshake = .milliseconds(200)
        } _: { node in
            let silent = try await RawConnection(to: node.grpcAddress)
            let speaking = try await RawConnection(to: node.grpcAddress)
            try await speaking.send(RawConnection.greeting)
            try await silent.waitUntilClosed()
            #expect(speaking.isOpen)
            try await speaking.close()
        }
    }

    @Test("a connection that never finishes the preface is closed by the deadline")
    func partialPreface() async throws {
        try await withNode {
            $0.limits.handshake = .milliseconds(200)
        } _: { node in
            let slow = try await RawConnection(to: node.grpcAddress)
            try await slow.send(Array(RawConnection.greeting.dropLast()))
            try await slow.waitUntilClosed()
        }
    }

    @Test("a client that answers no keepalive is closed")
    func deaf() async throws {
        try await withNode {
            $0.limits.keepaliveTime = .milliseconds(100)
            $0.limits.keepaliveTimeout = .milliseconds(100)
        } _: { node in
            let deaf = try await RawConnection(to: node.grpcAddress)
            try await deaf.send(RawConnection.greeting)
            try await deaf.waitUntilClosed()
        }
    }

    @Test("a client that answers keepalive stays, however long it has nothing to say")
    func alive() async throws {
        try await withNode {
            $0.limits.keepaliveTime = .milliseconds(100)
            $0.limits.keepaliveTimeout = .milliseconds(100)
        } _: { node in
            let configuration = CordwoodClient.Configuration(
                server: node.grpcAddress.description)
            try await CordwoodClient.withClient(configuration) { client in
                try await client.produce("default", Record("a"))
                // A deaf one's end tells that the time is over in which a silent one is closed; at
                // the second's end the server has also counted the first's.
                for _ in 0..<2 {
                    let deaf = try await RawConnection(to: node.grpcAddress)
                    try await deaf.send(RawConnection.greeting)
                    try await deaf.waitUntilClosed()
                }
                while node.connectionCount > 1 { try await Task.sleep(for: .milliseconds(5)) }
                #expect(node.connectionCount == 1)
            }
        }
    }

    @Test("a client is asked to leave by age, and closed if it does not")
    func age() async throws {
        try await withNode {
            $0.limits.connectionAge = .milliseconds(100)
        } _: { node in
            let staying = try await RawConnection(to: node.grpcAddress)
            try await staying.send(RawConnection.greeting)
            try await staying.waitUntilClosed()
        }
    }

    @Test("connections of one address beyond the limit are closed, and room comes back")
    func perAddress() async throws {
        try await withNode {
            $0.limits.connectionsPerAddress = 2
        } _: { node in
            let first = try await RawConnection(to: node.grpcAddress)
            let second = try await RawConnection(to: node.grpcAddress)
            try await node.waitForConnections(2)
            let third = try await RawConnection(to: node.grpcAddress)
            try await third.waitUntilClosed()
            #expect(first.isOpen && second.isOpen)

            try await first.close()
            try await node.waitForConnections(1)
            let fourth = try await RawConnection(to: node.grpcAddress)
            try await node.waitForConnections(2)
            #expect(fourth.isOpen && second.isOpen)
        }
    }

    @Test("connections beyond the limit of all are closed")
    func total() async throws {
        try await withNode {
            $0.limits.connections = 1
        } _: { node in
            let first = try await RawConnection(to: node.grpcAddress)
            try await node.waitForConnections(1)
            try await RawConnection(to: node.grpcAddress).waitUntilClosed()
            #expect(first.isOpen)
        }
    }

    @Test("a request over the limit is refused, and the connection goes on")
    func messageSize() async throws {
        try await withNode {
            $0.limits.recordBytes = 64 << 10
        } _: { node in
            let configuration = CordwoodClient.Configuration(
                server: node.grpcAddress.description)
            try await CordwoodClient.withClient(configuration) { client in
                let large = Record(String(repeating: "x", count: 256 << 10))
                let error = await #expect(throws: CordwoodError.self) {
                    try await client.produce("default", large)
                }
                #expect(error?.code == .batchTooLarge, "\(String(describing: error))")
                try await client.produce("default", Record("small"))
            }
        }
    }
}

@Suite("Counting connections")
struct ConnectionLimitsTests {
    private func peer(_ address: String) throws -> ConnectionLimits.Peer {
        ConnectionLimits.Peer(try SocketAddress(ipAddress: address, port: 1))
    }

    @Test("an IPv4 address is one peer, an IPv6 /64 is one peer")
    func peers() throws {
        #expect(try peer("10.0.0.1") == peer("10.0.0.1"))
        #expect(try peer("10.0.0.1") != peer("10.0.0.2"))
        #expect(try peer("2001:db8::1") == peer("2001:db8::ffff:2"))
        #expect(try peer("2001:db8::1") != peer("2001:db8:0:1::1"))
        #expect(try peer("::ffff:10.0.0.1") == peer("10.0.0.1"))
        #expect(try peer("::ffff:10.0.0.1") != peer("::ffff:10.0.0.2"))
    }

    @Test("what is closed makes room for another")
    func counting() throws {
        let limits = ConnectionLimits(perAddressMax: 1, totalMax: 2)
        let (one, two, three) = try (peer("10.0.0.1"), peer("10.0.0.2"), peer("10.0.0.3"))
        #expect(limits.open(one) == nil)
        #expect(limits.open(one) == .perAddress)
        #expect(limits.open(two) == nil)
        #expect(limits.open(three) == .total)
        limits.close(one)
        #expect(limits.open(three) == nil)
        #expect(limits.count == 2)
    }
}
