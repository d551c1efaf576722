// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import ClusterCore
import CordwoodClient
import Foundation
import Membership
import SerfCore
import Synchronization
import Testing

import enum CordwoodClient.KeyAction
import struct CordwoodClient.KeyOutcome
import struct CordwoodClient.MemberQuery

@testable import Agent

@Suite("What operators ask of gossip", .serialized, .timeLimit(.minutes(2)))
struct GossipCallsTests {
    /// Runs a test on two nodes that know each other.
    private func withPair(
        _ change: @Sendable (inout Settings) -> Void = { _ in },
        _ body: (RunningNode, RunningNode, CordwoodClient) async throws -> Void
    ) async throws {
        try await withNodes { shelf in
            let first = try await shelf.start("first", change)
            let second = try await shelf.start("second", seeds: [first], change)
            try await first.wait(for: "second", .alive)
            try await second.wait(for: "first", .alive)
            try await first.withClient { try await body(first, second, $0) }
        }
    }

    @Test("a join reaches who is there and says who is not")
    func join() async throws {
        try await withNodes { shelf in
            let first = try await shelf.start("first")
            let second = try await shelf.start("second")
            try await first.withClient { client in
                let refused = await #expect(throws: CordwoodError.self) {
                    try await client.joinMembers(["127.0.0.1:1"])
                }
                #expect(refused?.code == .joinFailed)
                let outcome = try await client.joinMembers(["127.0.0.1:1", second.gossip])
                #expect(outcome.joined == 1)
                #expect(outcome.failures.map(\.address) == ["127.0.0.1:1"])
                let wrong = await #expect(throws: CordwoodError.self) {
                    try await client.joinMembers(["a:b"])
                }
                #expect(wrong?.code == .invalidArgument)
            }
            try await first.wait(for: "second", .alive)
            try await second.wait(for: "first", .alive)
        }
    }

    @Test("a query is acknowledged by all members, and by none that it leaves out")
    func query() async throws {
        try await withPair { _, second, client in
            func acknowledged(_ change: (inout MemberQuery) -> Void) async throws -> [String] {
                var query = MemberQuery("uptime")
                query.wantsAcknowledgements = true
                query.timeout = .seconds(2)
                change(&query)
                let names = Mutex<[String]>([])
                try await client.queryMembers(query) { news in
                    if case .acknowledged(let name) = news { names.withLock { $0.append(name) } }
                }
                return names.withLock { $0.sorted() }
            }
            let all = try await acknowledged { _ in }
            #expect(all == ["first", "second"])
            let named = try await acknowledged { $0.members = ["second"] }
            #expect(named == ["second"])
            let port = second.node.grpcAddress.port
            let tagged = try await acknowledged { $0.tags = ["grpc": ":\(port)$"] }
            #expect(tagged == ["second"])
            let reserved = await #expect(throws: CordwoodError.self) {
                try await client.queryMembers(MemberQuery("_serf_other")) { _ in }
            }
            #expect(reserved?.code == .invalidArgument)
        }
    }

    @Test("every member that is alive acknowledges")
    func reachability() async throws {
        try await withPair { _, _, client in
            let seen = Mutex<[ReachabilityNews]>([])
            try await client.checkReachability { news in seen.withLock { $0.append(news) } }
            let news = seen.withLock { $0 }
            #expect(news.first == .asked(["first", "second"]))
            #expect(
                Set(news.dropFirst()) == [.acknowledged("first"), .acknowledged("second")])
        }
    }

    @Test("an event reaches the others; one that is too large is refused")
    func event() async throws {
        try await withPair { first, _, client in
            var settings = SerfNodeSettings(name: "listener", profile: .local)
            settings.bindHost = "127.77.255.1"
            settings.bindPort = 0
            let listener = SerfNode(settings, logger: noLogger)
            let events = listener.events()
            try await listener.start()
            try await listener.join([first.gossip])
            try await client.sendEvent("deploy", payload: Array("v2".utf8))
            for await case .event(.user(let event)) in events {
                #expect(event.name == "deploy")
                #expect(event.payload == Array("v2".utf8))
                break
            }
            await listener.close()
            let large = await #expect(throws: CordwoodError.self) {
                try await client.sendEvent("large", payload: [UInt8](repeating: 0, count: 600))
            }
            #expect(large?.code == .invalidArgument)
        }
    }

    @Test("the round trip to a member is known once both have a coordinate")
    func roundTrip() async throws {
        try await withPair { _, _, client in
            while true {
                do throws(CordwoodError) {
                    let trip = try await client.roundTrip(from: "second")
                    #expect((trip.from, trip.to) == ("second", "first"))
                    #expect(trip.time > .zero && trip.time < .seconds(1))
                    break
                } catch {
                    #expect(error.code == .memberNotFound)
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            let unknown = await #expect(throws: CordwoodError.self) {
                try await client.roundTrip(from: "nobody")
            }
            #expect(unknown?.code == .memberNotFound)
        }
    }

    @Test("a failed member is forced to leave, and forgotten when pruned")
    func forceLeave() async throws {
        try await withPair { first, second, client in
            let unknown = await #expect(throws: CordwoodError.self) {
                try await client.forceLeave("nobody")
            }
            #expect(unknown?.code == .memberNotFound)
            await second.cut()
            try await first.wait(for: "second", .failed)
            try await client.forceLeave("second")
            try await first.wait(for: "second", .left)
            try await client.forceLeave("second", prune: true)
            try await first.wait(for: "second", nil)
        }
    }

    @Test("without keys there is nothing to change")
    func noKeys() async throws {
        try await withPair { _, _, client in
            let list = await #expect(throws: CordwoodError.self) { try await client.listKeys() }
            #expect(list?.code == .gossipNotEncrypted)
            let change = await #expect(throws: CordwoodError.self) {
                try await client.changeKey(.install, [UInt8](repeating: 1, count: 32))
            }
            #expect(change?.code == .gossipNotEncrypted)
        }
    }

    @Test("keys are rotated while the nodes run, and no member is lost")
    func rotation() async throws {
        let old = [UInt8](repeating: 1, count: 32)
        let new = [UInt8](repeating: 2, count: 16)
        try await withKeyFile(old) { path in
            try await withPair({ $0.gossip.keysFile = path }) { first, second, client in
                let before = try await complete { try await client.listKeys() }
                #expect(before.keys.map(\.memberCount) == [2])
                // The first 16 digits of the SHA-256 of 32 bytes of value 1.
                #expect(before.keys.map(\.fingerprint) == ["72cd6e8422c407fb"])
                for action in [KeyAction.install, .use] {
                    try await complete { try await client.changeKey(action, new) }
                }
                try await complete { try await client.changeKey(.remove, old) }
                let after = try await complete { try await client.listKeys() }
                #expect(after.keys.map(\.primaryCount) == [2])
                #expect(after.keys.map(\.fingerprint) != before.keys.map(\.fingerprint))
                let known = try await client.listMembers()
                #expect(known.gossip.isEncrypted)
                #expect(known.members.map(\.status) == [.alive, .alive])
                #expect(second.status(of: "first") == .alive)
                #expect(first.status(of: "second") == .alive)
            }
        }
    }

    /// Does something with keys until all members have done it, as an operator would.
    @discardableResult
    private func complete(
        _ step: () async throws -> KeyOutcome
    ) async throws -> KeyOutcome {
        while true {
            let outcome = try await step()
            if outcome.isComplete { return outcome }
        }
    }

    @Test("a node with another key is not let in, and neither is one without")
    func otherKey() async throws {
        try await withKeyFile([UInt8](repeating: 1, count: 32)) { path in
            try await withKeyFile([UInt8](repeating: 9, count: 32)) { other in
                try await withNodes { shelf in
                    let inside = try await shelf.start("inside") { $0.gossip.keysFile = path }
                    for keys in [other, ""] {
                        let outside = try await shelf.start("outside") {
                            $0.gossip.keysFile = keys
                        }
                        for (here, there) in [(inside, outside), (outside, inside)] {
                            try await here.withClient { client in
                                await #expect(throws: CordwoodError.self) {
                                    try await client.joinMembers([there.gossip])
                                }
                            }
                        }
                        #expect(inside.node.servers.directory.members.map(\.name) == ["inside"])
                        #expect(outside.node.servers.directory.members.map(\.name) == ["outside"])
                    }
                }
            }
        }
    }
}
