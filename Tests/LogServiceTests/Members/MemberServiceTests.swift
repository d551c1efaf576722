// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import ClusterCore
import Faults
import GRPCCore
import LogAPI
import SwiftProtobuf
import Synchronization
import Testing

@testable import LogService

@Suite("Members", .timeLimit(.minutes(1)))
struct MemberServiceTests {
    private let gossip = FakeGossip()

    private func run(_ body: (BrokerFixture) async throws -> Void) async throws {
        try await BrokerFixture.run(gossip: gossip, body)
    }

    private func member(
        _ name: String, _ status: ClusterMember.Status = .alive, store: String? = nil
    ) -> ClusterMember {
        ClusterMember(
            name: name, address: "127.0.0.1:8401", status: status, since: 1000,
            tags: store.map { [.init("id", $0), .init("grpc", "127.0.0.1:8400")] } ?? [])
    }

    private var calls: [String] { gossip.state.withLock { $0.calls } }

    @Test("members are listed by name with what they say of themselves, and by status")
    func list() async throws {
        try await run { fixture in
            fixture.servers.replace(with: [
                member("node-2", .failed), member("node-1", store: "f00d"),
            ])
            let answer = try await fixture.members.listMembers(.init())
            #expect(answer.members.map(\.name) == ["node-1", "node-2"])
            let first = try #require(answer.members.first)
            #expect(first.isServer && first.isLocal)
            #expect(first.storeID == "f00d")
            #expect(first.grpcAddress == "127.0.0.1:8400")
            #expect(first.kafkaAddress.isEmpty)
            #expect(first.sinceMs == 1000)
            #expect(first.tags == ["id": "f00d", "grpc": "127.0.0.1:8400"])
            #expect(answer.members.last?.isServer == false)
            #expect(answer.members.last?.isLocal == false)
            #expect(answer.gossip.state == "running")
            #expect(answer.gossip.healthScore == 2)
            #expect(answer.gossip.encrypted)
            let failed = try await fixture.members.listMembers(.with { $0.statuses = ["failed"] })
            #expect(failed.members.map(\.name) == ["node-2"])
            let wrong = await failure {
                _ = try await fixture.members.listMembers(.with { $0.statuses = ["dead"] })
            }
            #expect(wrong?.code == "CW-1001")
        }
    }

    @Test("a watcher is told who is there, then what changes, until the server drains")
    func watch() async throws {
        try await run { fixture in
            fixture.servers.apply(.joined(member("a")))
            let seen = Mutex<[String]>([])
            let ended = await failure {
                try await fixture.members.watchMembers(.init()) { response in
                    for try await message in response.messages {
                        let count = seen.withLock { seen in
                            seen.append("\(message.change) \(message.member.name)")
                            return seen.count
                        }
                        switch count {
                        case 1: fixture.servers.apply(.joined(member("b")))
                        case 2: fixture.servers.apply(.failed(member("a")))
                        default: fixture.drain.begin()
                        }
                    }
                }
            }
            #expect(seen.withLock { $0 } == ["present a", "joined b", "failed a"])
            #expect(ended?.status == .unavailable)
        }
    }

    @Test("what operators ask reaches gossip")
    func calls() async throws {
        try await run { fixture in
            let joined = try await fixture.members.joinMembers(
                .with { $0.addresses = ["a:1", "b:1"] })
            #expect(joined.joined == 1)
            #expect(joined.failures.map(\.address) == ["b:1"])
            _ = try await fixture.members.forceLeave(
                .with {
                    $0.name = "c"
                    $0.prune = true
                })
            _ = try await fixture.members.sendEvent(
                .with {
                    $0.name = "deploy"
                    $0.payloadBytes = [1, 2]
                    $0.coalesce = true
                })
            let trip = try await fixture.members.getRoundTrip(.with { $0.from = "a" })
            #expect(trip.roundTripNs == 420_000)
            #expect(trip.to == "node-1")
            _ = try await fixture.members.leaveMembers(.init())
            #expect(
                calls == [
                    #"join ["a:1", "b:1"] false"#, "force-leave c true",
                    "event deploy [1, 2] true", "rtt a node-1", "leave",
                ])
        }
    }

    @Test("what is out of bounds never reaches gossip")
    func bounds() async throws {
        try await run { fixture in
            let members = fixture.members
            let refusals = [
                await failure { _ = try await members.joinMembers(.init()) },
                await failure {
                    _ = try await members.joinMembers(
                        .with { $0.addresses = Array(repeating: "a", count: 65) })
                },
                await failure {
                    _ = try await members.joinMembers(
                        .with { $0.addresses = [String(repeating: "a", count: 301)] })
                },
                await failure { _ = try await members.forceLeave(.init()) },
                await failure {
                    _ = try await members.forceLeave(
                        .with { $0.name = String(repeating: "n", count: 256) })
                },
                await failure { _ = try await members.sendEvent(.init()) },
                await failure { _ = try await members.getRoundTrip(.init()) },
                await failure {
                    _ = try await members.changeKey(
                        .with {
                            $0.action = .install
                            $0.keyBytes = [UInt8](repeating: 0, count: 17)
                        })
                },
                await failure {
                    _ = try await members.changeKey(
                        .with { $0.keyBytes = [UInt8](repeating: 0, count: 32) })
                },
                await queryFailure(fixture) { $0.name = "" },
                await queryFailure(fixture) { $0.timeoutMs = 60_001 },
                await queryFailure(fixture) { $0.timeoutMs = -1 },
                await queryFailure(fixture) { $0.relayFactor = 9 },
                await queryFailure(fixture) { $0.members = Array(repeating: "a", count: 65) },
                await queryFailure(fixture) { request in
                    for number in 0..<17 { request.tags["t\(number)"] = "x" }
                },
            ]
            #expect(refusals.allSatisfy { $0?.code == "CW-1001" })
            #expect(calls.isEmpty)
        }
    }

    private func queryFailure(
        _ fixture: BrokerFixture, _ change: (inout Cordwood_V1_QueryMembersRequest) -> Void
    ) async -> (status: RPCError.Code, code: String)? {
        var request = Cordwood_V1_QueryMembersRequest()
        request.name = "q"
        change(&request)
        let asked = request
        return await failure {
            try await fixture.members.queryMembers(asked) { response in
                for try await _ in response.messages {}
            }
        }
    }

    @Test("a query's acknowledgements and answers are passed on as they come")
    func query() async throws {
        gossip.state.withLock {
            $0.news = [.acknowledged("a"), .answered("a", payload: [7]), .acknowledged("b")]
        }
        try await run { fixture in
            let request = Cordwood_V1_QueryMembersRequest.with {
                $0.name = "load"
                $0.payloadBytes = [9]
                $0.members = ["a", "b"]
                $0.tags = ["role": "^db$"]
                $0.acknowledge = true
                $0.relayFactor = 3
                $0.timeoutMs = 1500
            }
            let said = try await fixture.members.queryMembers(request) { response in
                var said: [Cordwood_V1_QueryMembersResponse.OneOf_What] = []
                for try await message in response.messages {
                    if let what = message.what { said.append(what) }
                }
                return said
            }
            let answer = Cordwood_V1_QueryAnswer.with {
                $0.member = "a"
                $0.payloadBytes = [7]
            }
            #expect(said == [.acknowledgement("a"), .answer(answer), .acknowledgement("b")])
            #expect(
                gossip.state.withLock { $0.queries } == [
                    MemberQuery(
                        name: "load", payload: [9], members: ["a", "b"],
                        tags: [.init(tag: "role", expression: "^db$")],
                        wantsAcknowledgements: true, relayFactor: 3, timeout: .milliseconds(1500))
                ])
        }
    }

    @Test("a query that goes on is cut when the server drains")
    func queryIsCut() async throws {
        gossip.state.withLock {
            $0.news = [.acknowledged("a")]
            $0.isEndless = true
        }
        try await run { fixture in
            let ended = await failure {
                try await fixture.members.queryMembers(.with { $0.name = "q" }) { response in
                    for try await _ in response.messages { fixture.drain.begin() }
                }
            }
            #expect(ended?.status == .unavailable)
        }
    }

    @Test("a check of reachability ends as soon as all have acknowledged")
    func reachability() async throws {
        gossip.state.withLock {
            $0.asked = ["a", "b"]
            $0.acknowledgements = ["b", "a"]
        }
        try await run { fixture in
            let said = try await fixture.members.checkReachability(.init()) { response in
                var said: [Cordwood_V1_CheckReachabilityResponse.OneOf_What] = []
                for try await message in response.messages {
                    if let what = message.what { said.append(what) }
                }
                return said
            }
            #expect(
                said == [
                    .asked(.with { $0.names = ["a", "b"] }), .acknowledgement("b"),
                    .acknowledgement("a"),
                ])
        }
    }

    @Test("keys go in and only fingerprints come out")
    func keys() async throws {
        let key = Array(UInt8(0)..<32)
        gossip.state.withLock {
            $0.keys = KeyOutcome(
                askedCount: 2, answeredCount: 1,
                keys: [.init(fingerprint: "0123456789abcdef", memberCount: 1, primaryCount: 1)],
                failures: [.init(member: "b", reason: "did not answer")])
        }
        try await run { fixture in
            let changed = try await fixture.members.changeKey(
                .with {
                    $0.action = .use
                    $0.keyBytes = key
                })
            #expect((changed.asked, changed.answered) == (2, 1))
            #expect(changed.failures.map(\.member) == ["b"])
            #expect(gossip.state.withLock { $0.key } == key)
            let listed = try await fixture.members.listKeys(.init())
            #expect(listed.keys.map(\.fingerprint) == ["0123456789abcdef"])
            #expect(listed.keys.map(\.primaries) == [1])
            #expect(calls == ["key use", "keys"])
        }
    }

    @Test("faults of gossip keep their codes")
    func faults() async throws {
        for (code, status) in [
            (ErrorCode.memberNotFound, RPCError.Code.notFound),
            (.gossipNotRunning, .failedPrecondition), (.gossipNotEncrypted, .failedPrecondition),
            (.joinFailed, .unavailable),
        ] {
            gossip.state.withLock { $0.fault = Fault(code, "as told") }
            try await run { fixture in
                let refused = await failure {
                    _ = try await fixture.members.forceLeave(.with { $0.name = "x" })
                }
                #expect(refused?.status == status)
                #expect(refused?.code == code.text)
            }
        }
    }

    @Test("gossip that ended is not serving, and the server goes on to serve")
    func health() async throws {
        gossip.state.withLock { $0.status.state = .failed }
        try await run { fixture in
            let members = try await fixture.health.check(
                .with { $0.service = "cordwood.v1.MemberService" })
            #expect(members.status == .notServing)
            for service in ["", "cordwood.v1.LogService"] {
                let other = try await fixture.health.check(.with { $0.service = service })
                #expect(other.status == .serving)
            }
        }
    }

    @Test("a server without gossip says so to every call")
    func absent() async throws {
        let off = AbsentGossip(name: "node-1", cluster: "cordwood")
        try await BrokerFixture.run(gossip: off) { fixture in
            let listed = try await fixture.members.listMembers(.init())
            #expect(listed.gossip.state == "off")
            #expect(listed.members.isEmpty)
            let refused = await failure { _ = try await fixture.members.leaveMembers(.init()) }
            #expect(refused?.code == "CW-3007")
            let asked = await queryFailure(fixture) { _ in }
            #expect(asked?.code == "CW-3007")
        }
    }
}
