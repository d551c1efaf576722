// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Crypto
internal import Faults
internal import Membership
internal import SerfCore
internal import SwimCore

extension NodeGossip: ServerGossip {
    func healthScore() async -> Int {
        // Whoever does not run keeps up with nothing, and says so by its state.
        guard let serf = try? serf(), let figures = try? await serf.statistics else { return 0 }
        return figures.healthScore
    }

    func join(
        _ addresses: [String], replayEvents: Bool
    ) async throws(Fault) -> JoinOutcome {
        let serf = try serf()
        let seeds = try addresses.map { text throws(Fault) in
            guard let address = GossipAddress.parse(text) else {
                throw Fault(
                    .invalidArgument, "'\(text)' is no address",
                    hint: "Give host, host:port or [IPv6]:port.")
            }
            return address.description
        }
        let result = try await Fault.translating { () throws(MembershipError) in
            try await serf.join(seeds, replayEvents: replayEvents)
        }
        return JoinOutcome(
            joined: result.count,
            failures: result.failures.map {
                JoinOutcome.Failure(address: "\($0.endpoint)", reason: "\($0.reason)")
            })
    }

    func leave() async throws(Fault) { try await leaveForGood() }

    func forceLeave(_ name: String, prune: Bool) async throws(Fault) {
        let serf = try serf()
        try await Fault.translating { () throws(MembershipError) in
            try await serf.forceLeave(name, prune: prune)
        }
    }

    func send(event name: String, payload: [UInt8], mayCoalesce: Bool) async throws(Fault) {
        let serf = try serf()
        try await Fault.translating { () throws(MembershipError) in
            try await serf.send(event: name, payload: payload, mayCoalesce: mayCoalesce)
        }
    }

    func query(_ query: MemberQuery) async throws(Fault) -> AsyncStream<MemberQuery.News> {
        let request = QueryRequest(
            name: query.name, payload: query.payload, nodes: query.members,
            // A tag that is named twice has no single expression; the checks before let none through.
            tags: Dictionary(query.tags.map { ($0.tag, $0.expression) }) { $1 },
            wantsAcks: query.wantsAcknowledgements, relayFactor: query.relayFactor,
            timeout: query.timeout)
        return try await answers(to: request)
    }

    func checkReachability(
        timeout: Duration?
    ) async throws(Fault) -> (asked: [String], acknowledgements: AsyncStream<String>) {
        let serf = try serf()
        let members = try await Fault.translating { () throws(MembershipError) in
            try await serf.members
        }
        var request = QueryRequest.ping
        request.timeout = timeout
        let answers = try await answers(to: request)
        let names = AsyncStream { continuation in
            let copying = Task {
                for await news in answers {
                    if case .acknowledged(let name) = news { continuation.yield(name) }
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in copying.cancel() }
        }
        return (members.filter { $0.status == .alive }.map(\.name), names)
    }

    func changeKey(_ action: KeyAction, _ key: [UInt8]) async throws(Fault) -> KeyOutcome {
        let keys = try serf().keys
        let report = try await Fault.translating { () throws(MembershipError) in
            let key = try GossipKey(bytes: key)
            return switch action {
            case .install: try await keys.install(key)
            case .use: try await keys.use(key)
            case .remove: try await keys.remove(key)
            }
        }
        return KeyOutcome(report)
    }

    func listKeys() async throws(Fault) -> KeyOutcome {
        let keys = try serf().keys
        return KeyOutcome(
            try await Fault.translating { () throws(MembershipError) in try await keys.list() })
    }

    func roundTrip(from: String, to: String) async throws(Fault) -> Duration {
        let serf = try serf()
        for name in [from, to] {
            let coordinate = try await Fault.translating { () throws(MembershipError) in
                try await serf.coordinate(of: name)
            }
            guard coordinate != nil else {
                throw Fault(
                    .memberNotFound, "no coordinate is known of a member named '\(name)'",
                    hint: "See `cordwood members list`; the first coordinate comes with a probe.")
            }
        }
        let time = try await Fault.translating { () throws(MembershipError) in
            try await serf.roundTrip(between: from, and: to)
        }
        guard let time else {
            throw Fault(.memberNotFound, "the coordinates of \(from) and \(to) do not go together")
        }
        return time
    }

    private func answers(
        to request: QueryRequest
    ) async throws(Fault) -> AsyncStream<MemberQuery.News> {
        let serf = try serf()
        let answers = try await Fault.translating { () throws(MembershipError) in
            try await serf.query(request)
        }
        return AsyncStream { continuation in
            let copying = Task {
                for await progress in answers {
                    switch progress {
                    case .ack(let name): continuation.yield(.acknowledged(name))
                    case .response(let name, let payload):
                        continuation.yield(.answered(name, payload: payload))
                    }
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in copying.cancel() }
        }
    }
}

extension KeyOutcome {
    /// What the members said, with fingerprints in place of keys.
    init(_ report: KeyReport) {
        let failures =
            report.answers.filter { !$0.isSuccess }.map {
                Failure(member: $0.from, reason: $0.message)
            } + report.missing.map { Failure(member: $0, reason: "did not answer") }
        let primaries = Dictionary(report.primaryKeys.map { ($0.key, $0.count) }) { $1 }
        let keys = report.keys.compactMap { entry -> Key? in
            // A member that lists what is no key has nothing that could be named.
            guard let key = try? GossipKey(base64: entry.key) else { return nil }
            return Key(
                fingerprint: key.fingerprint, memberCount: entry.count,
                primaryCount: primaries[entry.key] ?? 0)
        }
        self.init(
            askedCount: report.memberCount, answeredCount: report.answers.count,
            keys: keys.sorted { $0.fingerprint < $1.fingerprint },
            failures: failures.sorted { $0.member < $1.member })
    }
}

extension GossipKey {
    /// The first 16 hexadecimal digits of its SHA-256: tells keys apart, and opens nothing.
    var fingerprint: String {
        let digits = Array("0123456789abcdef")
        return SHA256.hash(data: bytes).prefix(8).reduce(into: "") { text, byte in
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
    }
}
