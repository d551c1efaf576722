// SPDX-License-Identifier: Apache-2.0

import Foundation
import Membership
import SerfCore
import SerfWire
import Synchronization
import Testing

/// Scenarios 30 and 31: nonsense on both ports, and a long life.
extension AgentTests {
    /// Packets that a node has sent, to be spoiled and sent back to it.
    private final class Captured: Sendable {
        private let packets = Mutex<[[UInt8]]>([])

        func keep(_ packet: [UInt8]) {
            packets.withLock { packets in
                if packets.count < 512 { packets.append(packet) }
            }
        }

        /// A packet that is no good any more.
        ///
        /// One that can still be read, and tells of a member that there is not, is not spoiled but
        /// forged: such members are gossiped to in place of the true ones, as the protocol wants it.
        func spoiled(amid members: Set<String>) -> [UInt8] {
            while true {
                let packet = damaged()
                var unreadable = 0
                let messages = (try? Packet.decode(packet, unreadable: &unreadable)) ?? []
                let isForged = messages.contains { message in
                    guard case .alive(let alive) = message else { return false }
                    return !members.contains(alive.node)
                }
                if !isForged { return packet }
            }
        }

        private func damaged() -> [UInt8] {
            var packet = packets.withLock { $0.randomElement() } ?? []
            for _ in 0..<Int.random(in: 1...8) {
                guard let index = packet.indices.randomElement() else { break }
                switch UInt8.random(in: 0..<4) {
                case 0: packet[index] ^= 1 << UInt8.random(in: 0..<8)
                case 1: packet[index] = .random(in: 0 ... .max)
                case 2: packet.removeSubrange(index...)
                default: packet.insert(contentsOf: packet.prefix(9), at: index)
                }
            }
            return packet
        }
    }

    private static func noise() -> [UInt8] {
        (0..<Int.random(in: 0...1500)).map { _ in .random(in: 0 ... .max) }
    }

    /// Bytes of this process that are in memory.
    private static func residentBytes() throws -> Int {
        let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
            .split(separator: " ")
        return try (Int(#require(pages.dropFirst().first)) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static let two: Set = ["agent", "node"]

    @Test(
        "30: nonsense on both ports neither stops a node nor parts it from the agent",
        arguments: AgentBinary.all)
    func hostile(binary: AgentBinary) async throws {
        try await Rig.run(binary) { rig in
            let agent = try await rig.agent("agent")
            let node = try await rig.node("node")
            let captured = Captured()
            node.lose { packet in
                if packet.direction == .outgoing { captured.keep(packet.bytes) }
                return false
            }
            try await node.join([agent.endpoint])
            try await wait(until: [agent], see: "node", as: "alive", within: .spread)
            let events = try await AgentEvents(of: agent)
            let attackers = [
                try await RawPeer.start(at: rig.address()),
                try await RawPeer.start(at: rig.address()),
            ]
            defer { for attacker in attackers { attacker.close() } }
            let before = try Self.residentBytes()
            let end = ContinuousClock.now + .seconds(10)
            let sent = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for attacker in attackers {
                    group.addTask {
                        while ContinuousClock.now < end {
                            try await attacker.send(
                                captured.spoiled(amid: Self.two), to: node.endpoint)
                            try await attacker.send(Self.noise(), to: node.endpoint)
                            sent.add("packets")
                        }
                    }
                }
                group.addTask {
                    while ContinuousClock.now < end {
                        let bytes =
                            Bool.random() ? Self.noise() : [6] + captured.spoiled(amid: Self.two)
                        // All places for streams may be taken, by our own hand.
                        try? await RawPeer.stream(bytes, to: node.endpoint)
                        sent.add("streams")
                    }
                }
                group.addTask {
                    while ContinuousClock.now < end { try await Self.talk(agent, node) }
                }
                try await group.waitForAll()
            }
            #expect(sent["packets"] > 1000, "\(sent.story)")
            #expect(sent["streams"] > 50, "\(sent.story)")
            let dropped = try await node.statistics().sockets.dropped
            #expect(dropped[.malformed, default: 0] > 500, "\(dropped)")
            #expect(try Self.residentBytes() - before < 64 << 20)
            #expect(!events.members("member-failed").contains("node"))
            #expect(!node.names(of: .failed).contains("agent"))
            #expect(try await agent.status(of: "node") == "alive")
            try await node.leave()
            try await wait(until: [agent], see: "node", as: "left", within: .spread)
        }
    }

    /// Tags, events and a question, over whatever else there is.
    private static func talk(_ agent: AgentProcess, _ node: SwiftNode) async throws {
        let tags = ["round": "\(UInt32.random(in: 0 ... .max))"]
        try await node.setTags(tags)
        try await eventually("tags go through", within: .spread) {
            try await agent.ipc().member("node")?.tags == tags
        }
        try await eventually("events go through", within: .seconds(20)) {
            try await exchangeEvents(agent, node)
            return true
        }
        // Among the spoiled packets may be an ack of somebody else.
        try await eventually("both are reached", within: .spread) {
            let ping = try await node.query(
                QueryRequest(
                    name: "_serf_ping", nodes: ["agent", "node"], wantsAcks: true,
                    timeout: .milliseconds(500)))
            return ping.acks.contains("agent") && ping.acks.contains("node")
        }
    }

    private static let soakMinutes = ProcessInfo.processInfo.environment["SERF_SOAK"]
        .flatMap(Double.init)

    @Test(
        "31: through kills, leaves, restarts and tags all views are equal at each quiet point",
        .enabled(
            if: soakMinutes != nil, "set SERF_SOAK to a number of minutes, such as 1 or 30"),
        arguments: AgentBinary.all)
    func soak(binary: AgentBinary) async throws {
        let minutes = try #require(Self.soakMinutes)
        try await Rig.run(binary) { rig in
            let agent = try await rig.agent("agent") { $0.settings["reconnect_interval"] = "2s" }
            var soak = Soak(rig: rig, agent: agent)
            let end = ContinuousClock.now + .seconds(minutes * 60)
            repeat {
                try await soak.round()
            } while ContinuousClock.now < end
        }
    }

    /// One agent and five nodes to which things happen.
    private struct Soak {
        let rig: Rig
        let agent: AgentProcess
        var live: [String: SwiftNode] = [:]
        var addresses: [String: String] = [:]
        var tags: [String: String] = [:]
        var rounds = 0

        mutating func round() async throws {
            rounds += 1
            for number in 0..<5 where Bool.random() || rounds == 1 {
                try await happen(to: "node-\(number)")
            }
            // One must be there to tell the others.
            if live.isEmpty { try await start("node-0") }
            let watchers: [any Watcher] = [agent] + live.values.sorted { $0.name < $1.name }
            let names = Set(watchers.map(\.name))
            try await eventually(
                "round \(rounds): all agree that \(names.sorted()) are alive",
                within: .seconds(40), seen: await views(of: watchers)
            ) {
                for watcher in watchers {
                    let alive = try await watcher.view().filter { $0.value == "alive" }
                    guard Set(alive.keys) == names else { return false }
                }
                for (name, tag) in tags where live[name] != nil {
                    guard try await agent.ipc().member(name)?.tags == ["tag": tag] else {
                        return false
                    }
                }
                return true
            }
            // Failed is what was killed, left is what left, on the agent, which has seen it all.
            let gone = try await agent.view().filter { !names.contains($0.key) }
            #expect(gone.values.allSatisfy { $0 == "failed" || $0 == "left" })
        }

        private mutating func happen(to name: String) async throws {
            guard let node = live[name] else { return try await start(name) }
            switch UInt8.random(in: 0..<4) {
            case 0:
                await node.kill()
                live[name] = nil
            case 1:
                try await node.leave()
                live[name] = nil
            case 2:
                await node.kill()
                try await start(name)
            default:
                tags[name] = "\(rounds)"
                try await node.setTags(["tag": "\(rounds)"])
            }
        }

        private mutating func start(_ name: String) async throws {
            tags[name] = "new-\(rounds)"
            let address = addresses[name] ?? rig.address()
            addresses[name] = address
            let seed = agent.endpoint
            let tag = "new-\(rounds)"
            live[name] = try await rig.node(name, at: address) {
                $0.tags = ["tag": tag]
                $0.seeds = [seed]
                $0.reconnectInterval = .seconds(2)
            }
        }
    }
}
