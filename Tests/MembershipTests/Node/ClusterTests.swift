// SPDX-License-Identifier: Apache-2.0

import SerfCore
import SerfWire
import SwimCore
import Testing

@testable import Membership

/// Nodes with real sockets on one machine.
@Suite struct ClusterTests {
    @Test("who joins is seen with its tags, by the third member too") func join() async throws {
        try await withPair { settings in
            settings.tags = ["node": settings.name]
        } _: { first, second in
            var settings = testSettings("third", seeds: [try await second.address])
            settings.tags = ["role": "third"]
            try await withNode(settings) { third in
                try await eventually("all see all") {
                    for node in [first, second, third] {
                        let alive = try await node.members.filter { $0.status == .alive }
                        guard alive.map(\.name) == ["first", "second", "third"] else {
                            return false
                        }
                        guard alive[2].tags == ["role": "third"] else { return false }
                        guard alive[0].tags == ["node": "first"] else { return false }
                    }
                    return true
                }
                #expect(try await third.tags == ["role": "third"])
                let statistics = try await first.statistics
                #expect(statistics.members[.alive] == 3)
                #expect(!statistics.isEncrypted)
                #expect(statistics.sockets.streamsAccepted >= 1)
            }
        }
    }

    @Test("a join counts who answered and says what was wrong with the others")
    func joinResult() async throws {
        try await withNode(testSettings("first")) { first in
            try await withNode(testSettings("second")) { second in
                let free = OwnAddress.next()
                let result = try await second.join([first.address, "\(free)"])
                #expect(result.count == 1)
                #expect(result.failures.map(\.endpoint) == [free])
                let error = await #expect(throws: MembershipError.self) {
                    try await second.join(["\(free)"])
                }
                #expect(error?.code == .joinFailed)
                let unknown = await #expect(throws: MembershipError.self) {
                    try await second.join(["name.invalid"])
                }
                #expect(unknown?.code == .unknownHost)
            }
        }
    }

    @Test("new tags are seen, and too many are refused") func tags() async throws {
        try await withPair { first, second in
            let events = second.events()
            try await first.setTags(["version": "2"])
            try await eventually("the tags are seen") {
                try await second.members.first { $0.name == "first" }?.tags == ["version": "2"]
            }
            #expect(try await first.tags == ["version": "2"])
            let updated = await firstEvent(of: events) { event in
                if case .updated(let members) = event { members.map(\.name) } else { nil }
            }
            #expect(updated == ["first"])
            let error = await #expect(throws: MembershipError.self) {
                try await first.setTags(["large": String(repeating: "x", count: 512)])
            }
            #expect(error?.code == .tooLarge)
        }
    }

    @Test("an event reaches all, the sender too, once each") func events() async throws {
        try await withPair { first, second in
            let listeners = [first.events(), second.events(), second.events()]
            for number in 0..<20 {
                try await first.send(event: "deploy", payload: [UInt8(number)])
            }
            for listener in listeners {
                var heard: [UInt8] = []
                for await case .event(.user(let event)) in listener {
                    #expect(event.name == "deploy")
                    heard += event.payload
                    if heard.count == 20 { break }
                }
                #expect(heard.sorted() == Array(0..<20))
            }
            let error = await #expect(throws: MembershipError.self) {
                try await first.send(event: "large", payload: [UInt8](repeating: 0, count: 600))
            }
            #expect(error?.code == .tooLarge)
        }
    }

    @Test("a query gathers acks and answers from those that it is for") func query() async throws {
        try await withPair { first, second in
            let events = second.events()
            let answering = Task {
                for await case .event(.query(let query)) in events where query.name == "load" {
                    try await second.respond(to: query, [7])
                    let error = await #expect(throws: MembershipError.self) {
                        try await second.respond(to: query, [8])
                    }
                    #expect(error?.code == .refused)
                    break
                }
            }
            let request = QueryRequest(name: "load", wantsAcks: true, timeout: .seconds(1))
            let result = try await first.query(request).all()
            #expect(result.acks.sorted() == ["first", "second"])
            #expect(result.responses == [.init(from: "second", payload: [7])])
            try await answering.value
            let ping = try await first.query(.ping).all()
            #expect(ping.acks.sorted() == ["first", "second"])
            let error = await #expect(throws: MembershipError.self) {
                _ = try await first.query(QueryRequest(name: "_serf_mine"))
            }
            #expect(error?.code == .refused)
        }
    }

    @Test("who leaves has left, and who vanishes has failed") func leaveAndFail() async throws {
        try await withPair { settings in
            // Nobody is left to confirm the suspicion.
            settings.serf.swim.suspicionMaxTimeoutMult = 2
        } _: { first, second in
            try await withNode(testSettings("third", seeds: [first.address])) { third in
                try await eventually("the third is seen") {
                    try await second.status(of: "third") == .alive
                }
                let events = first.events()
                try await second.leave()
                try await eventually("the second has left") {
                    try await first.status(of: "second") == .left
                }
                await third.close()
                try await eventually("the third has failed", within: .seconds(30)) {
                    try await first.status(of: "third") == .failed
                }
                let failed = await firstEvent(of: events) { event in
                    if case .failed(let members) = event { members.map(\.name) } else { nil }
                }
                #expect(failed == ["third"])
                #expect(try await first.statistics.members[.left] == 1)
                try await first.forceLeave("third")
                #expect(try await first.status(of: "third") == .left)
                try await first.forceLeave("third", prune: true)
                try await eventually("the third is forgotten") {
                    try await first.status(of: "third") == nil
                }
                let error = await #expect(throws: MembershipError.self) {
                    try await first.forceLeave("nobody")
                }
                #expect(error?.code == .unknownMember)
            }
        }
    }

    @Test("round trips are estimated once probes were answered") func roundTrip() async throws {
        try await withPair { first, second in
            let trip = try await value(of: "a round trip") {
                try await first.roundTrip(between: "first", and: "second")
            }
            #expect(trip > .zero && trip < .seconds(1))
            #expect(try await first.coordinate(of: "nobody") == nil)
            #expect(try await second.coordinate(of: "second")?.isValid == true)
        }
    }

    @Test("a member of another cluster is refused, and one without a cluster is not")
    func commonTags() async throws {
        func settings(_ name: String, cluster: String?) -> SerfNodeSettings {
            var settings = testSettings(name)
            settings.tags = cluster.map { ["cluster": $0] } ?? [:]
            settings.serf.commonTags = settings.tags
            return settings
        }
        try await withNode(settings("blue", cluster: "blue")) { blue in
            try await withNode(settings("red", cluster: "red")) { red in
                try await withNode(settings("agent", cluster: nil)) { agent in
                    // The other side answers before it looks at who asks.
                    _ = try? await red.join([blue.address])
                    try await agent.join([blue.address])
                    try await eventually("the agent is let in") {
                        try await blue.status(of: "agent") == .alive
                    }
                    #expect(try await blue.status(of: "red") == nil)
                    #expect(try await red.status(of: "blue") == nil)
                }
            }
        }
    }

    @Test("a filter makes a node deaf, which the others see, until it is taken away")
    func filter() async throws {
        let isDeaf = Flag()
        var settings = testSettings("deaf")
        settings.filter = PacketFilter { _ in isDeaf.isSet }
        try await withNode(testSettings("first")) { first in
            settings.seeds = [try await first.address]
            try await withNode(settings) { deaf in
                try await eventually("both are in view") {
                    try await first.status(of: "deaf") == .alive
                }
                isDeaf.set(true)
                try await eventually("the deaf one has failed", within: .seconds(30)) {
                    try await first.status(of: "deaf") == .failed
                }
                #expect(try await deaf.dropped(.filtered) > 0)
                isDeaf.set(false)
                try await eventually("it is back", within: .seconds(60)) {
                    try await first.status(of: "deaf") == .alive
                }
            }
        }
    }

    @Test("a filter sees what is in packets and streams") func filterLooksInside() async throws {
        let seen = Seen()
        var settings = testSettings("watched")
        settings.filter = PacketFilter { packet in
            for message in packet.messages {
                if case .ping = message, !packet.isStream {
                    seen.insert("\(packet.direction)-ping")
                }
                if case .pushPull = message { seen.insert("\(packet.direction)-exchange") }
            }
            return false
        }
        try await withNode(testSettings("first")) { first in
            settings.seeds = [try await first.address]
            try await withNode(settings) { watched in
                try await eventually("pings both ways, and an exchange") {
                    seen.all.isSuperset(of: ["incoming-ping", "outgoing-ping", "outgoing-exchange"])
                }
                #expect(try await watched.dropped(.filtered) == 0)
            }
        }
    }
}

/// The first event that a test is interested in.
func firstEvent<Value>(
    of events: SerfNodeEvents, _ pick: (SerfEvent) -> Value?
) async -> Value? {
    for await case .event(let event) in events {
        if let value = pick(event) { return value }
    }
    return nil
}
