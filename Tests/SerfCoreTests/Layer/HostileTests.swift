// SPDX-License-Identifier: Apache-2.0

import Bytes
import SerfWire
import SwimCore
import Testing

@testable import SerfCore

/// What strangers may send: nothing of it traps, and all that is kept of it is bounded.
@Suite struct HostileTests {
    /// A message of each kind, with values at their ends.
    private func message(_ random: inout SplitMix64) -> SerfMessage {
        let times: [UInt64] = [0, 1, 2, 511, 512, 513, 1 << 40, .max - 1, .max]
        let names = ["self", "m", "n", "", String(repeating: "x", count: 300)]
        let time = LamportTime(times.randomElement(using: &random) ?? 0)
        let name = names.randomElement(using: &random) ?? ""
        let payload = [UInt8](repeating: 7, count: Int.random(in: 0..<2000, using: &random))
        let flags = QueryFlags(rawValue: UInt32.random(in: 0...7, using: &random))
        let id = UInt32.random(in: 0...3, using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return .leave(LeaveIntent(time: time, node: name, prune: .random(using: &random)))
        case 1: return .join(JoinIntent(time: time, node: name))
        case 2:
            return .userEvent(
                UserEventMessage(time: time, name: name, payload: payload, mayCoalesce: true))
        case 3:
            return .response(
                QueryResponse(time: time, id: id, from: name, flags: flags, payload: payload))
        case 4:
            return .relay(
                RelayHeader(destination: Subject.peer(3), name: name), message: payload)
        case 5:
            return .state(
                SerfState(
                    time: time, statusTimes: [StatusTime(name: name, time: time)],
                    leftMembers: names, eventTime: time,
                    events: [
                        EventsAtTime(
                            time: time, events: [RecentEvent(name: name, payload: payload)])
                    ], queryTime: time))
        default:
            let query = ["q", "_serf_ping", "_serf_conflict", "_serf_install-key", "_serf_x"]
            return .query(
                QueryMessage(
                    time: time, id: id, origin: Subject.peer(2), originNode: name,
                    filters: [.tag(name: "a", expression: "(x*)*$")], flags: flags,
                    relayFactor: UInt8.random(in: 0...255, using: &random),
                    timeout: [.min, -1, 0, 1, .max].randomElement(using: &random) ?? 0,
                    name: query.randomElement(using: &random) ?? "", payload: payload))
        }
    }

    @Test("any mixture of messages, true and broken, keeps the node in order", arguments: 1...4)
    func mixture(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var subject = Subject(
            keyring: try Keyring(keys: [[UInt8](repeating: 1, count: 16)]), seed: seed
        ) {
            $0.queueDepthMax = 50
            $0.intentCountMax = 20
            $0.openCountMax = 10
            $0.memberCountMax = 10
        }
        for step in 0..<800 {
            var bytes = message(&random).encoded()
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            case 1:
                let place = Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] = UInt8.random(in: 0...255, using: &random)
            default: break
            }
            subject.hear(bytes: bytes)
            var swim: [SwimEffect] = []
            if step % 5 == 0, bytes.first == 2 {
                subject.serf.layer.merge(
                    pushPullState: bytes, isJoin: true, at: subject.now, into: &swim)
                subject.receive(.tick)
            }
            if step % 50 == 0 {
                subject.admit("m\(step)", UInt32(step))
                subject.pass(.milliseconds(300))
                _ = subject.takeEffects()
            }
        }
        let depths = subject.serf.queueDepths
        #expect(depths.intents <= 50 && depths.queries <= 50 && depths.events <= 50)
        #expect(subject.serf.members.count <= 10)
        #expect(subject.serf.phase == .running)
    }

    @Test("names and tags beyond all reason are not kept")
    func longNames() {
        var subject = Subject()
        let name = String(repeating: "x", count: SwimNode.nameBytesMax + 1)
        subject.hear(.join(JoinIntent(time: LamportTime(4), node: name)))
        #expect(subject.serf.layer.intents.count == 0)
        subject.hear(
            .query(
                QueryMessage(
                    time: LamportTime(4), id: 1, origin: Subject.peer(1), originNode: name,
                    filters: [], flags: [], relayFactor: 0, timeout: 1, name: "q", payload: [])))
        #expect(
            subject.observations == [.intentDropped(node: name), .queryDropped(name: "q")])
        subject.admit(name)
        subject.admit("m", 2, tags: ["a": String(repeating: "x", count: SwimNode.metaBytesMax)])
        #expect(subject.serf.members.map(\.name) == ["self"])
        #expect(subject.takeEvents().isEmpty)
        // Agents take more than they send.
        subject.admit("m", 2, tags: ["a": String(repeating: "x", count: 900)])
        #expect(subject.status(of: "m") == .alive)
    }

    @Test("what is too large for any packet is not queued")
    func oversized() {
        var subject = Subject()
        subject.hear(
            .userEvent(
                UserEventMessage(
                    time: LamportTime(4), name: "e", payload: [UInt8](repeating: 1, count: 5000),
                    mayCoalesce: false)))
        // It is delivered: whoever sent it over a stream meant it.
        #expect(!subject.takeEvents().isEmpty)
        #expect(subject.serf.queueDepths.events == 0)
    }

    @Test("a full queue drops the most sent, and says so")
    func overflow() {
        var subject = Subject { $0.queueDepthMax = 3 }
        for number in 1...5 as ClosedRange<UInt64> {
            subject.hear(.join(JoinIntent(time: LamportTime(number), node: "n\(number)")))
        }
        #expect(subject.serf.queueDepths.intents == 3)
        #expect(
            subject.observations
                == [.queueOverflow(.intents, dropped: 1), .queueOverflow(.intents, dropped: 1)])
    }
}
