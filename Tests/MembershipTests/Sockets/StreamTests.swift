// SPDX-License-Identifier: Apache-2.0

import SerfCore
import SerfWire
import SwimCore
import Testing

@testable import Membership

/// TCP connections of the test to one node.
@Suite struct StreamTests {
    private func ping(_ node: String = "node") -> [UInt8] {
        StreamBody.encode(.ping(Ping(sequence: 5, node: node, source: nil)), compress: false)
    }

    /// The text that a refused peer gets.
    private func refusal(in answer: [UInt8], _ seal: PacketSeal? = nil) throws -> String? {
        let body = try seal?.unseal(body: answer) ?? answer
        guard case .error(let text) = try StreamBody.decode(body) else { return nil }
        return text
    }

    @Test("a ping is acknowledged, and the stream closed") func pingIsAnswered() async throws {
        try await withNode(testSettings("node")) { node in
            let answer = try await RawStream.exchange(node.boundEndpoint, ping())
            #expect(try StreamBody.decode(answer) == .ack(Ack(sequence: 5, payload: [])))
        }
    }

    @Test("a ping for another name is a silent end") func otherName() async throws {
        try await withNode(testSettings("node")) { node in
            let answer = try await RawStream.exchange(node.boundEndpoint, ping("other"))
            #expect(answer.isEmpty)
        }
    }

    @Test("a request that comes byte by byte, with its side closed behind it, is answered")
    func pieces() async throws {
        try await withNode(testSettings("node")) { node in
            let stream = try await RawStream.open(node.boundEndpoint)
            for byte in ping() { try await stream.send([byte]) }
            try await stream.endOutput()
            #expect(
                try await StreamBody.decode(stream.answer())
                    == .ack(Ack(sequence: 5, payload: [])))
            await stream.close()
        }
    }

    @Test("an exchange makes both know each other", arguments: [false, true])
    func pushPull(isEncrypted: Bool) async throws {
        var settings = testSettings("node", keys: isEncrypted ? [someKey] : [])
        settings.tags = ["role": "db"]
        try await withNode(settings) { node in
            let seal = PacketSeal(keys: isEncrypted ? [someKey.bytes] : [], label: [])
            let state = NodeState(
                name: "peer", endpoint: Endpoint(address: .v4(0x7f00_0001), port: 1),
                meta: Tags.encode(["role": "test"]), incarnation: 1, state: .alive,
                versions: .current)
            let request = StreamBody.encode(
                .pushPull(PushPull(isJoin: true, nodes: [state], userState: [])), compress: true)
            let sealed = try #require(seal.seal(body: request, isDialled: true))
            let answer = try await RawStream.exchange(node.boundEndpoint, sealed)
            guard case .pushPull(let told) = try StreamBody.decode(seal.unseal(body: answer)) else {
                Issue.record("the answer is no push/pull")
                return
            }
            #expect(told.isJoin)
            #expect(told.nodes.map(\.name) == ["node"])
            #expect(try Tags.decode(told.nodes[0].meta) == ["role": "db"])
            let bound = try await node.boundEndpoint
            #expect(told.nodes[0].endpoint == bound)
            try await eventually("the peer is a member") {
                try await node.members.contains { $0.name == "peer" && $0.tags["role"] == "test" }
            }
        }
    }

    @Test("a user message by stream is heard") func userMessage() async throws {
        try await withNode(testSettings("node")) { node in
            let events = node.events()
            let event = UserEventMessage(
                time: LamportTime(rawValue: 9), name: "by-stream", payload: [1],
                mayCoalesce: false)
            let body = StreamBody.encode(
                .user(SerfMessage.userEvent(event).encoded()), compress: false)
            let answer = try await RawStream.exchange(node.boundEndpoint, body)
            #expect(answer.isEmpty)
            for await case .event(.user(let heard)) in events {
                #expect(heard.name == "by-stream")
                break
            }
        }
    }

    @Test("a plain stream to a node with keys is refused with a sealed reason")
    func plainToEncrypted() async throws {
        try await withNode(testSettings("node", keys: [someKey])) { node in
            let answer = try await RawStream.exchange(node.boundEndpoint, ping())
            let seal = PacketSeal(keys: [someKey.bytes], label: [])
            #expect(try refusal(in: answer, seal)?.contains("plain") == true)
            #expect(try await node.dropped(.notEncrypted) == 1)
        }
    }

    @Test("a sealed stream to a node without keys is refused with a plain reason")
    func encryptedToPlain() async throws {
        try await withNode(testSettings("node")) { node in
            let seal = PacketSeal(keys: [someKey.bytes], label: [])
            let sealed = try #require(seal.seal(body: ping(), isDialled: true))
            let answer = try await RawStream.exchange(node.boundEndpoint, sealed)
            #expect(try refusal(in: answer)?.contains("encrypted") == true)
            #expect(try await node.dropped(.encrypted) == 1)
        }
    }

    @Test("a reason comes through even while the peer still sends") func refusedInTheMiddle()
        async throws
    {
        try await withNode(testSettings("node")) { node in
            let stream = try await RawStream.open(node.boundEndpoint)
            try await stream.send([0x0a, 0x00, 0x10, 0x00, 0x00])
            try await stream.send([UInt8](repeating: 7, count: 100_000))
            let answer = try await stream.answer()
            #expect(try refusal(in: answer) != nil)
            await stream.close()
        }
    }

    @Test("a stream that no key opens is refused") func wrongKey() async throws {
        try await withNode(testSettings("node", keys: [someKey])) { node in
            let seal = PacketSeal(keys: [otherKey.bytes], label: [])
            let sealed = try #require(seal.seal(body: ping(), isDialled: true))
            let answer = try await RawStream.exchange(node.boundEndpoint, sealed)
            let theirs = PacketSeal(keys: [someKey.bytes], label: [])
            #expect(try refusal(in: answer, theirs)?.contains("key") == true)
            #expect(try await node.dropped(.undecryptable) == 1)
        }
    }

    @Test("a bad compression is refused with a reason") func badCompression() async throws {
        try await withNode(testSettings("node")) { node in
            let body: [UInt8] =
                [9, 0x82, 0xa4] + Array("Algo".utf8) + [0, 0xa3] + Array("Buf".utf8)
                + [0xa3, 0xff, 0xff, 0xff]
            let answer = try await RawStream.exchange(node.boundEndpoint, body)
            #expect(try refusal(in: answer) != nil)
        }
    }

    @Test(
        "what is no request is a silent end",
        arguments: [
            [UInt8(1), 0x80], [3, 0x80], [99, 1, 2], [0xf4, 4, 0x62, 0x6c, 0x75, 0x65],
            [6, 0xc1], [2, 0x80],
        ])
    func noRequest(bytes: [UInt8]) async throws {
        try await withNode(testSettings("node")) { node in
            let answer = try await RawStream.exchange(node.boundEndpoint, bytes)
            #expect(answer.isEmpty)
            let answered = try await RawStream.exchange(node.boundEndpoint, ping())
            #expect(!answered.isEmpty)
        }
    }

    @Test(
        "a label is wanted on the dialled direction, and not sent back", arguments: [false, true])
    func label(isEncrypted: Bool) async throws {
        var settings = testSettings("node", keys: isEncrypted ? [someKey] : [])
        settings.label = "blue"
        try await withNode(settings) { node in
            func seal(_ label: String) -> PacketSeal {
                PacketSeal(keys: isEncrypted ? [someKey.bytes] : [], label: Array(label.utf8))
            }
            let right = try #require(seal("blue").seal(body: ping(), isDialled: true))
            let answer = try await RawStream.exchange(node.boundEndpoint, right)
            #expect(
                try StreamBody.decode(seal("blue").unseal(body: answer))
                    == .ack(Ack(sequence: 5, payload: [])))
            for label in ["", "red", "blu"] {
                let wrong = try #require(seal(label).seal(body: ping(), isDialled: true))
                #expect(try await RawStream.exchange(node.boundEndpoint, wrong).isEmpty)
            }
            #expect(try await node.dropped(.wrongLabel) == 3)
            try await eventually("nothing is held") {
                try await node.read { $0.streamBytes == 0 && $0.accepted.isEmpty }
            }
        }
    }

    @Test("a stream that promises too much is closed at once") func tooLong() async throws {
        try await withNode(testSettings("node", keys: [someKey])) { node in
            let promise: [UInt8] = [0x0a, 0x7f, 0xff, 0xff, 0xff]
            let answer = try await RawStream.exchange(node.boundEndpoint, promise)
            #expect(answer.isEmpty)
            #expect(try await node.dropped(.tooLong) == 1)
        }
        try await withNode(testSettings("node")) { node in
            var writer = MessagePackWriter([6])
            writer.writeMapHead(3)
            writer.writeKey("Join")
            writer.write(false)
            writer.writeKey("Nodes")
            writer.write(UInt64(1) << 40)
            writer.writeKey("UserStateLen")
            writer.write(UInt64(0))
            let answer = try await RawStream.exchange(node.boundEndpoint, writer.bytes)
            #expect(answer.isEmpty)
            #expect(try await node.dropped(.tooLong) + node.dropped(.malformed) == 1)
        }
    }

    @Test("a stream that is not whole in time is closed") func tooSlow() async throws {
        var settings = testSettings("node")
        settings.serf.swim.streamTimeout = .milliseconds(300)
        try await withNode(settings) { node in
            let silent = try await RawStream.open(node.boundEndpoint)
            let slow = try await RawStream.open(node.boundEndpoint)
            try await slow.send(Array(ping().dropLast()))
            #expect(try await silent.answer().isEmpty)
            #expect(try await slow.answer().isEmpty)
            #expect(try await node.dropped(.tooSlow) == 2)
            await silent.close()
            await slow.close()
        }
    }

    @Test("129 streams are one too many, and 128 are not") func tooMany() async throws {
        var settings = testSettings("node")
        settings.serf.swim.streamTimeout = .seconds(60)
        try await withNode(settings) { node in
            let endpoint = try await node.boundEndpoint
            var streams: [RawStream] = []
            for _ in 0..<NodeLoop.streamsMax { streams.append(try await RawStream.open(endpoint)) }
            try await eventually("all are accepted") {
                try await node.statistics.sockets.streamsAccepted == NodeLoop.streamsMax
            }
            let extra = try await RawStream.open(endpoint)
            #expect(try await extra.answer().isEmpty)
            #expect(try await node.dropped(.tooManyStreams) == 1)
            #expect(streams.allSatisfy { !$0.isEnded })
            for stream in streams { try await stream.send(ping()) }
            for stream in streams { #expect(try await !stream.answer().isEmpty) }
            // Their places are free again.
            #expect(try await !RawStream.exchange(endpoint, ping()).isEmpty)
            for stream in streams + [extra] { await stream.close() }
        }
    }

    @Test("streams together hold no more than they may") func heldBytes() async throws {
        var settings = testSettings("node")
        settings.serf.swim.streamTimeout = .seconds(60)
        try await withNode(settings) { node in
            let endpoint = try await node.boundEndpoint
            // Each begins a user message of 19 MiB and leaves out its end.
            var head = MessagePackWriter([8])
            head.writeMapHead(1)
            head.writeKey("UserMsgLen")
            head.write(UInt64(19 << 20))
            let most = head.bytes + [UInt8](repeating: 1, count: 18 << 20)
            var streams: [RawStream] = []
            for _ in 0..<3 {
                let stream = try await RawStream.open(endpoint)
                try await stream.send(most)
                streams.append(stream)
            }
            let fourth = try await RawStream.open(endpoint)
            // The node closes while the test still sends.
            try? await fourth.send(most)
            #expect(try await fourth.answer().isEmpty)
            #expect(try await node.dropped(.tooLong) == 1)
            #expect(streams.allSatisfy { !$0.isEnded })
            for stream in streams + [fourth] { await stream.close() }
            try await eventually("there is room again") {
                try await !RawStream.exchange(endpoint, ping()).isEmpty
            }
        }
    }
}
