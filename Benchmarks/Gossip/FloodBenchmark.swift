// SPDX-License-Identifier: Apache-2.0

import Foundation
import Membership
import SerfCore

/// A member with a key, under 100,000 forged packets a second from one socket.
enum FloodBenchmark {
    private static let others = 4
    private static let packetsPerSecond = 100_000
    /// Packets that are sent at once, a hundred times a second.
    private static let burst = 1000

    static func run(seconds: Int) async throws -> [Outcome] {
        let neighbours = try Neighbours.start(others, isEncrypted: true)
        var settings = try Neighbours.settings(others + 1, isEncrypted: true)
        settings.seeds = [Neighbours.seed]
        let node = SerfNode(settings, logger: Neighbours.silent)
        try await node.start()
        try await eventually("all are in view") {
            try await node.statistics.members[.alive] == others + 1
        }
        let events = node.events()
        let failures = Task {
            var count = 0
            for await case .event(.failed(let members)) in events { count += members.count }
            return count
        }
        let host = "\(Neighbours.network).\(others + 1)"
        let began = Usage.processorSeconds()
        async let flood = sendFlood(to: host, seconds: seconds)
        let waits = try await askedMeanwhile(node, seconds: seconds)
        let sent = try await flood
        let used = Usage.processorSeconds() - began
        // Suspicions that the flood has raised must end well: the longest lasts 24 seconds.
        try await Task.sleep(for: .seconds(30))
        let statistics = try await node.statistics
        await node.close()
        let failed = await failures.value
        let said = neighbours.stop().split(separator: " ").compactMap { Double($0) }
        guard said.count == 2 else { throw BenchmarkError.neighboursEnded }
        let dropped = statistics.sockets.dropped[.undecryptable] ?? 0
        return [
            Outcome(
                name: "forged packets a second", value: Double(sent) / Double(seconds), unit: "/s",
                bound: 0.95 * Double(packetsPerSecond), isFloor: true,
                detail: "\(dropped) of \(sent) were opened and refused, the others lost in the"
                    + " socket; \(Int(100 * used / Double(seconds))) % of a core with the sender"),
            Outcome(
                name: "members failed by the flooded one", value: Double(failed), unit: "",
                bound: 0, detail: "of \(others); health score \(statistics.healthScore)"),
            Outcome(
                name: "times the others failed a member", value: said[0], unit: "", bound: 0,
                detail: "the flooded one, or each other"),
            Outcome(
                name: "a caller's wait in the flood, p99", value: waits, unit: "ms", bound: 100,
                detail: "for the list of members"),
        ]
    }

    /// Milliseconds that a hundredth of the calls exceeds.
    private static func askedMeanwhile(_ node: SerfNode, seconds: Int) async throws -> Double {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var waits: [Double] = []
        while clock.now < end {
            let wait = try await clock.measure { _ = try await node.members }
            waits.append(wait / .milliseconds(1))
            try await Task.sleep(for: .milliseconds(10))
        }
        waits.sort()
        return waits[waits.count * 99 / 100]
    }

    /// Sends on a thread of its own; says how many packets the system took.
    private static func sendFlood(to host: String, seconds: Int) async throws -> Int {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try flood(host, seconds: seconds) })
            }
        }
    }

    private static func flood(_ host: String, seconds: Int) throws -> Int {
        let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { throw BenchmarkError.noSocket(errno) }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = Neighbours.port.bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
            throw BenchmarkError.unreadable(host)
        }
        let status = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw BenchmarkError.noSocket(errno) }
        // Looks like an encrypted ping, and no key opens it.
        var packet: [UInt8] = [1] + (0..<110).map { UInt8($0) }
        var sent = 0
        let interval = 1e9 / Double(packetsPerSecond / burst)
        let began = DispatchTime.now().uptimeNanoseconds
        for round in 0..<(seconds * packetsPerSecond / burst) {
            for number in 0..<burst {
                withUnsafeBytes(of: sent &+ number) { packet.replaceSubrange(1..<9, with: $0) }
                if send(descriptor, packet, packet.count, 0) == packet.count { sent += 1 }
            }
            let due = began + UInt64(Double(round + 1) * interval)
            let now = DispatchTime.now().uptimeNanoseconds
            if due > now { usleep(UInt32((due - now) / 1000)) }
        }
        // Whoever is late has sent fewer a second.
        let took = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
        return Int(Double(sent) * min(1, Double(seconds) / took))
    }
}
