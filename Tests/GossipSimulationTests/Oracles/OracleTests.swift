// SPDX-License-Identifier: Apache-2.0

import SerfCore
import SerfWire
import SwimCore
import Testing

@testable import GossipSimulation

private func member(
    _ number: Int, _ status: MemberStatus = .alive, time: UInt64 = 1,
    tags: [String: String] = [:]
) -> Member {
    Member(
        name: "n\(number)", endpoint: GossipNode(number: number, usesIPv6: false).endpoint,
        tags: tags, status: status, versions: .current, statusTime: LamportTime(rawValue: time),
        since: Moment(nanoseconds: 0))
}

private func record(_ number: Int, _ incarnation: UInt32) -> SwimNode {
    SwimNode(
        name: "n\(number)", endpoint: GossipNode(number: number, usesIPv6: false).endpoint,
        meta: [], versions: .current, incarnation: incarnation, state: .alive,
        changed: Moment(nanoseconds: 0))
}

@Suite("The incarnation oracle")
struct IncarnationOracleTests {
    @Test("takes incarnations that grow, and that begin anew once a record was forgotten")
    func growing() throws {
        var oracle = IncarnationOracle(nodeCount: 2)
        try oracle.look(0, [record(0, 3)], isEach: true)
        try oracle.look(1, [record(0, 2), record(1, 1)], isEach: true)
        try oracle.look(1, [record(0, 3), record(1, 1)], isEach: true)
        try oracle.look(1, [record(1, 1)], isEach: true)
        try oracle.look(1, [record(0, 1), record(1, 1)], isEach: true)
    }

    @Test("refuses one that falls")
    func falling() throws {
        var oracle = IncarnationOracle(nodeCount: 2)
        try oracle.look(0, [record(0, 3)], isEach: true)
        try oracle.look(1, [record(0, 3)], isEach: true)
        #expect(throws: Violation.self) { try oracle.look(1, [record(0, 2)], isEach: true) }
    }

    @Test("refuses one that the node itself never had")
    func invented() throws {
        var oracle = IncarnationOracle(nodeCount: 2)
        try oracle.look(0, [record(0, 3)], isEach: true)
        #expect(throws: Violation.self) { try oracle.look(1, [record(0, 4)], isEach: true) }
    }

    @Test("refuses strangers, and two records of one node")
    func strangers() throws {
        var oracle = IncarnationOracle(nodeCount: 2)
        #expect(throws: Violation.self) { try oracle.look(0, [record(7, 1)], isEach: true) }
        #expect(throws: Violation.self) {
            try oracle.look(0, [record(0, 1), record(0, 1)], isEach: true)
        }
    }
}

@Suite("The status oracle")
struct StatusOracleTests {
    @Test("takes a life in events and lists")
    func life() throws {
        var oracle = StatusOracle(nodeCount: 2)
        try oracle.happened(.joined([member(1)]), at: 0)
        try oracle.look(0, [member(1)], 0, isEach: true)
        try oracle.look(0, [member(1, .leaving, time: 2)], 0, isEach: true)
        try oracle.happened(.left([member(1, .left)]), at: 0)
        try oracle.look(0, [member(1, .left, time: 2)], 0, isEach: true)
        try oracle.happened(.joined([member(1)]), at: 0)
        try oracle.look(0, [member(1)], 0, isEach: true)
        try oracle.happened(.failed([member(1, .failed)]), at: 0)
        try oracle.look(0, [member(1, .failed)], 0, isEach: true)
        try oracle.happened(.reaped([member(1, .failed)]), at: 0)
        try oracle.look(0, [], 0, isEach: true)
    }

    @Test("refuses a leaver that fails")
    func failedLeaver() throws {
        var oracle = StatusOracle(nodeCount: 2)
        try oracle.happened(.joined([member(1)]), at: 0)
        try oracle.look(0, [member(1, .leaving, time: 2)], 0, isEach: true)
        try oracle.happened(.failed([member(1, .failed)]), at: 0)
        #expect(throws: Violation.self) {
            try oracle.look(0, [member(1, .failed, time: 2)], 0, isEach: true)
        }
    }

    @Test("refuses events that cannot follow each other")
    func impossibleEvents() throws {
        for event in [
            SerfEvent.left([member(1, .left)]), .failed([member(1, .failed)]),
            .updated([member(1)]), .reaped([member(1)]),
        ] {
            var oracle = StatusOracle(nodeCount: 2)
            #expect(throws: Violation.self) { try oracle.happened(event, at: 0) }
        }
        var oracle = StatusOracle(nodeCount: 2)
        try oracle.happened(.joined([member(1)]), at: 0)
        #expect(throws: Violation.self) { try oracle.happened(.joined([member(1)]), at: 0) }
    }

    @Test("refuses a list that is not what was told")
    func untold() throws {
        var oracle = StatusOracle(nodeCount: 2)
        #expect(throws: Violation.self) { try oracle.look(0, [member(1)], 0, isEach: true) }
        try oracle.happened(.joined([member(1)]), at: 0)
        #expect(throws: Violation.self) { try oracle.look(0, [], 0, isEach: true) }
        #expect(throws: Violation.self) {
            try oracle.look(0, [member(1, .failed)], 0, isEach: true)
        }
    }
}

@Suite("The delivery oracle")
struct DeliveryOracleTests {
    private static func event(_ number: Int, time: UInt64) -> UserEvent {
        UserEvent(
            time: LamportTime(rawValue: time), name: "deploy",
            payload: DeliveryOracle.payload(number), mayCoalesce: false)
    }

    /// Two nodes that are there, and an event that the first one has sent and delivered.
    private static func sent() throws -> DeliveryOracle {
        var oracle = DeliveryOracle(nodeCount: 2, buffer: 16)
        oracle.started(0, 0)
        oracle.started(1, 0)
        _ = oracle.send(10, padding: 0)
        try oracle.delivered(event(0, time: 1), at: 0, 10)
        return oracle
    }

    @Test("says who is owed an event, until it has it")
    func owed() throws {
        var oracle = try Self.sent()
        let owed = try #require(oracle.owed(to: [0, 1]))
        #expect(owed == (0, 1))
        try oracle.delivered(Self.event(0, time: 1), at: 1, 20)
        #expect(oracle.owed(to: [0, 1]) == nil)
    }

    @Test("owes nothing to a newcomer, to one in the midst of joining, or of what nobody has")
    func notOwed() throws {
        var oracle = try Self.sent()
        #expect(oracle.owed(to: [1]) == nil)
        oracle.joinBegins(1)
        #expect(oracle.owed(to: [0, 1]) == nil)
        oracle.joinEnds(1, ignoresOld: false, 15)
        #expect(oracle.owed(to: [0, 1]) != nil)
        oracle.started(1, 30)
        #expect(oracle.owed(to: [0, 1]) == nil)
    }

    @Test("owes nothing that is older than what members remember")
    func tooOld() throws {
        var oracle = try Self.sent()
        _ = oracle.send(20, padding: 0)
        try oracle.delivered(Self.event(1, time: 40), at: 0, 20)
        try oracle.delivered(Self.event(1, time: 40), at: 1, 20)
        #expect(oracle.owed(to: [0, 1]) == nil)
    }

    @Test("refuses a second delivery, but in another life")
    func twice() throws {
        var oracle = try Self.sent()
        #expect(throws: Violation.self) {
            try oracle.delivered(Self.event(0, time: 1), at: 0, 20)
        }
        oracle.started(0, 30)
        try oracle.delivered(Self.event(0, time: 1), at: 0, 40)
    }

    @Test("refuses events that nobody has sent, and another time of one")
    func invented() throws {
        var oracle = try Self.sent()
        #expect(throws: Violation.self) {
            try oracle.delivered(Self.event(5, time: 1), at: 1, 20)
        }
        #expect(throws: Violation.self) {
            try oracle.delivered(Self.event(0, time: 2), at: 1, 20)
        }
    }
}

@Suite("The query oracle")
struct QueryOracleTests {
    private static func query(_ number: Int, from: String) -> QueryEvent {
        QueryEvent(
            token: QueryToken(rawValue: 1), time: LamportTime(rawValue: 1), name: "status",
            payload: DeliveryOracle.payload(number), from: from,
            deadline: Moment(nanoseconds: 100))
    }

    private static func asked() throws -> QueryOracle {
        var oracle = QueryOracle(nodeCount: 2)
        #expect(oracle.ask("n0", command: 9) == 0)
        try oracle.arrived(query(0, from: "n0"), at: 1)
        try oracle.progress(9, .ack(from: "n1"), from: "n0")
        return oracle
    }

    @Test("takes one ack and one answer of each, and the sum of them")
    func sum() throws {
        var oracle = try Self.asked()
        let answer = Array("n1 to ".utf8) + DeliveryOracle.payload(0)
        try oracle.progress(9, .response(from: "n1", payload: answer), from: "n0")
        var result = QueryResult()
        result.acks = ["n1"]
        result.responses = [.init(from: "n1", payload: answer)]
        try oracle.ended(0, 9, .success(.answered(result)), at: "n0")
        #expect(oracle.asked[0].seenBy == [1])
    }

    @Test("refuses a query, an ack or an answer that comes twice, or of nothing")
    func twice() throws {
        var oracle = try Self.asked()
        #expect(throws: Violation.self) { try oracle.arrived(Self.query(0, from: "n0"), at: 1) }
        #expect(throws: Violation.self) { try oracle.arrived(Self.query(7, from: "n0"), at: 1) }
        #expect(throws: Violation.self) { try oracle.arrived(Self.query(0, from: "n1"), at: 0) }
        #expect(throws: Violation.self) {
            try oracle.progress(9, .ack(from: "n1"), from: "n0")
        }
        #expect(throws: Violation.self) {
            try oracle.progress(9, .response(from: "n1", payload: [1]), from: "n0")
        }
        #expect(throws: Violation.self) {
            try oracle.progress(8, .ack(from: "n1"), from: "n0")
        }
    }

    @Test("refuses a sum that is not what was told before, and anything after it")
    func wrongSum() throws {
        var oracle = try Self.asked()
        #expect(throws: Violation.self) {
            try oracle.ended(0, 9, .success(.answered(QueryResult())), at: "n0")
        }
        #expect(throws: Violation.self) {
            try oracle.progress(9, .ack(from: "n1"), from: "n0")
        }
    }
}

@Suite("The view oracle")
struct ViewOracleTests {
    private static func truth(
        _ number: Int, isUp: Bool = true, wasAskedToLeave: Bool = false
    ) -> ViewOracle.Truth {
        ViewOracle.Truth(
            name: "n\(number)", endpoint: GossipNode(number: number, usesIPv6: false).endpoint,
            isUp: isUp, tags: [:], wasAskedToLeave: wasAskedToLeave)
    }

    private static func flaw(_ members: [Member], _ truth: [ViewOracle.Truth]) -> String? {
        ViewOracle.flaw(in: ViewOracle.View(observer: 0, members: members), truth)
    }

    @Test("takes a view of all that are there, and of those that went")
    func right() {
        #expect(Self.flaw([member(0), member(1)], [Self.truth(0), Self.truth(1)]) == nil)
        let gone = Self.truth(1, isUp: false)
        #expect(Self.flaw([member(0), member(1, .failed)], [Self.truth(0), gone]) == nil)
        #expect(Self.flaw([member(0)], [Self.truth(0), gone]) == nil)
        let left = Self.truth(1, isUp: false, wasAskedToLeave: true)
        #expect(Self.flaw([member(0), member(1, .left)], [Self.truth(0), left]) == nil)
    }

    @Test("finds who is missing, or thought wrong of")
    func wrong() {
        let both = [Self.truth(0), Self.truth(1)]
        #expect(Self.flaw([member(0)], both) != nil)
        #expect(Self.flaw([member(0), member(1, .failed)], both) != nil)
        #expect(Self.flaw([member(0), member(1, .leaving)], both) != nil)
        #expect(Self.flaw([member(0), member(1, tags: ["a": "b"])], both) != nil)
        var moved = member(1)
        moved.endpoint.port = 1
        #expect(Self.flaw([member(0), moved], both) != nil)
        let gone = [Self.truth(0), Self.truth(1, isUp: false)]
        #expect(Self.flaw([member(0), member(1)], gone) != nil)
        #expect(Self.flaw([member(0), member(1, .left)], gone) != nil)
    }

    @Test("finds two views that differ about one that both know")
    func different() {
        let one = ViewOracle.View(observer: 0, members: [member(2, .left)])
        let other = ViewOracle.View(observer: 1, members: [member(2, .failed)])
        let third = ViewOracle.View(observer: 1, members: [])
        #expect(ViewOracle.difference(between: [one, other]) != nil)
        #expect(ViewOracle.difference(between: [one, third]) == nil)
    }
}

@Suite("The watch")
struct GossipWatchTests {
    /// Tells a node in the midst of an exchange that another one has failed.
    private static func fail(after state: Liveness) throws {
        var watch = GossipWatch(nodeCount: 2, settings: .lan)
        var marks = GossipMarks()
        let node = GossipNode(number: 0, usesIPv6: false)
        try watch.happened(
            .joined([member(1)]), at: node, 0, marks: &marks, isAwake: [true, true])
        let other = NodeState(
            name: "n1", endpoint: node.endpoint, meta: [], incarnation: 1, state: state,
            versions: .current)
        watch.exchanged = StreamBody.encode(
            .pushPull(PushPull(isJoin: false, nodes: [other], userState: [])), compress: false)
        try watch.happened(
            .failed([member(1, .failed)]), at: node, 0, marks: &marks, isAwake: [true, true])
    }

    @Test("refuses who is failed in an exchange without suspicion, but one that left")
    func exchange() throws {
        try Self.fail(after: .left)
        #expect(throws: Violation.self) { try Self.fail(after: .dead) }
        #expect(throws: Violation.self) { try Self.fail(after: .suspect) }
    }

    @Test("counts who is failed rightly and falsely")
    func counts() throws {
        var watch = GossipWatch(nodeCount: 2, settings: .lan)
        var marks = GossipMarks()
        let node = GossipNode(number: 0, usesIPv6: false)
        for isAwake in [true, false] {
            try watch.happened(
                .joined([member(1)]), at: node, 0, marks: &marks, isAwake: [true, true])
            try watch.happened(
                .failed([member(1, .failed)]), at: node, 0, marks: &marks,
                isAwake: [true, isAwake])
        }
        #expect(watch.falseFailures == 1)
        #expect(watch.trueFailures == 1)
    }
}

@Suite("The traffic oracle")
struct TrafficOracleTests {
    @Test("refuses a storm, and forgets the second before")
    func storm() throws {
        var oracle = TrafficOracle(nodeCount: 1, perSecondMax: 10)
        for second in 0..<3 {
            for _ in 0..<10 { try oracle.sent(0, 100, Int64(second) * 1_000_000_000) }
        }
        #expect(oracle.packets == 30)
        #expect(throws: Violation.self) { try oracle.sent(0, 100, 2_999_999_999) }
    }
}

@Suite("The bounds")
struct GossipBoundsTests {
    @Test("are those that the formulae give with the LAN profile")
    func lan() {
        let bounds = GossipBounds(.lan)
        let second = 1_000_000_000.0
        #expect(abs(Double(bounds.suspicionMin(3)) / second - 4) < 0.01)
        #expect(abs(Double(bounds.suspicionMin(100)) / second - 8) < 0.01)
        #expect(abs(Double(bounds.suspicionMax(4)) / second - 24) < 0.05)
        #expect([1, 9, 10, 99, 100, 999].map(bounds.transmissions) == [4, 4, 8, 8, 12, 12])
        #expect(bounds.pushPull(32) == 30_000_000_000)
        #expect(bounds.pushPull(33) == 60_000_000_000)
        #expect(bounds.detection(3, health: 0) < bounds.detection(3, health: 7))
    }

    @Test("have the logarithms of whole numbers")
    func logarithms() {
        #expect(GossipBounds.logarithm(1) == 0)
        #expect(abs(GossipBounds.logarithm(10) - 2.302_585_092_994_046) < 1e-12)
        #expect(abs(GossipBounds.logarithm(300) - 5.703_782_474_656_201) < 1e-12)
        #expect(abs(GossipBounds.logarithm(1.5) - 0.405_465_108_108_164) < 1e-12)
    }
}
