// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import Faults
import Synchronization

/// Gossip that notes what is asked of it and answers as it is told to.
final class FakeGossip: ServerGossip {
    struct State: Sendable {
        var status = GossipStatus(
            state: .running, name: "node-1", address: "127.0.0.1:8401", isEncrypted: true,
            cluster: "cordwood")
        var calls: [String] = []
        var fault: Fault?
        var queries: [MemberQuery] = []
        var news: [MemberQuery.News] = []
        var asked: [String] = []
        var acknowledgements: [String] = []
        /// Whether queries go on until they are given up.
        var isEndless = false
        var keys = KeyOutcome(askedCount: 2, answeredCount: 2)
        var key: [UInt8] = []
    }

    let state = Mutex(State())

    var status: GossipStatus { state.withLock { $0.status } }

    func healthScore() async -> Int { 2 }

    private func note(_ call: String) throws(Fault) {
        let fault = state.withLock { state in
            state.calls.append(call)
            return state.fault
        }
        if let fault { throw fault }
    }

    func join(_ addresses: [String], replayEvents: Bool) async throws(Fault) -> JoinOutcome {
        try note("join \(addresses) \(replayEvents)")
        return JoinOutcome(joined: 1, failures: [.init(address: "b:1", reason: "refused")])
    }

    func leave() async throws(Fault) { try note("leave") }

    func forceLeave(_ name: String, prune: Bool) async throws(Fault) {
        try note("force-leave \(name) \(prune)")
    }

    func send(event name: String, payload: [UInt8], mayCoalesce: Bool) async throws(Fault) {
        try note("event \(name) \(payload) \(mayCoalesce)")
    }

    func query(_ query: MemberQuery) async throws(Fault) -> AsyncStream<MemberQuery.News> {
        try note("query \(query.name)")
        state.withLock { $0.queries.append(query) }
        let (news, isEndless) = state.withLock { ($0.news, $0.isEndless) }
        return AsyncStream { continuation in
            for piece in news { continuation.yield(piece) }
            if !isEndless { continuation.finish() }
        }
    }

    func checkReachability(
        timeout: Duration?
    ) async throws(Fault) -> (asked: [String], acknowledgements: AsyncStream<String>) {
        try note("reachability \(timeout.map { "\($0)" } ?? "-")")
        let (asked, names) = state.withLock { ($0.asked, $0.acknowledgements) }
        // Never ends by itself: the call must know when all have acknowledged.
        return (asked, AsyncStream { for name in names { $0.yield(name) } })
    }

    func changeKey(_ action: KeyAction, _ key: [UInt8]) async throws(Fault) -> KeyOutcome {
        try note("key \(action)")
        return state.withLock { state in
            state.key = key
            return state.keys
        }
    }

    func listKeys() async throws(Fault) -> KeyOutcome {
        try note("keys")
        return state.withLock { $0.keys }
    }

    func roundTrip(from: String, to: String) async throws(Fault) -> Duration {
        try note("rtt \(from) \(to)")
        return .microseconds(420)
    }
}
