// SPDX-License-Identifier: Apache-2.0

import SerfWire
import SwimCore
import Testing

@testable import SerfCore

/// Queries of others, as one node sees to them.
@Suite struct QueryTests {
    private func query(
        _ time: UInt64 = 4, id: UInt32 = 9, filters: [QueryFilter] = [], flags: QueryFlags = [],
        relayFactor: UInt8 = 0, timeout: Int64 = 3_000_000_000, name: String = "q",
        payload: [UInt8] = [], port: UInt16 = 7946
    ) -> SerfMessage {
        .query(
            QueryMessage(
                time: LamportTime(time), id: id,
                origin: Endpoint(address: Subject.peer(1).address, port: port), originNode: "m",
                filters: filters, flags: flags, relayFactor: relayFactor, timeout: timeout,
                name: name, payload: payload))
    }

    private func queries(_ subject: inout Subject) -> [QueryEvent] {
        subject.takeEvents().compactMap { if case .query(let event) = $0 { event } else { nil } }
    }

    private func response(
        _ payload: [UInt8] = [], flags: QueryFlags = [], time: UInt64 = 4, id: UInt32 = 9
    ) -> SerfMessage {
        .response(
            QueryResponse(
                time: LamportTime(time), id: id, from: "self", flags: flags, payload: payload))
    }

    @Test("a query is delivered and passed on once, however often it comes")
    func once() {
        var subject = Subject()
        for _ in 0..<3 { subject.hear(query(payload: [5])) }
        let events = queries(&subject)
        #expect(events.count == 1)
        #expect(events.first?.name == "q")
        #expect(events.first?.payload == [5])
        #expect(events.first?.from == "m")
        #expect(events.first?.deadline == subject.now + .seconds(3))
        #expect(subject.gossip == [query(payload: [5])])
        #expect(subject.serf.layer.queryClock.time == LamportTime(5))
        subject.hear(query(id: 10))
        #expect(queries(&subject).count == 1)
    }

    @Test("a query that is not to be passed on is not")
    func noBroadcast() {
        var subject = Subject()
        subject.hear(query(flags: .noBroadcast))
        #expect(queries(&subject).count == 1)
        #expect(subject.gossip.isEmpty)
    }

    @Test("a query that is too old is dropped")
    func tooOld() {
        var subject = Subject()
        subject.hear(query(1000))
        subject.hear(query(400))
        #expect(queries(&subject).map(\.time) == [LamportTime(1000)])
    }

    @Test("a slot takes no more queries than it can compare")
    func slotIsBounded() {
        var subject = Subject()
        for id in 0..<UInt32(QueryRing.slotCountMax) + 2 { subject.hear(query(id: id)) }
        #expect(queries(&subject).count == QueryRing.slotCountMax)
        #expect(subject.observations.isEmpty)
        subject.hear(query(id: 1 << 30))
        #expect(subject.observations == [.queryDropped(name: "q")])
    }

    // MARK: Responses

    @Test("who wants to know is told at once that a query came")
    func acknowledges() {
        var subject = Subject()
        subject.hear(query(flags: .acknowledge))
        #expect(subject.sentDirectly.map(\.message) == [response(flags: .acknowledge)])
        #expect(subject.sentDirectly.map(\.to) == [Subject.peer(1)])
    }

    @Test("an asker without a port means the default one")
    func defaultPort() {
        var subject = Subject()
        subject.hear(query(flags: .acknowledge, port: 0))
        #expect(subject.sentDirectly.map(\.to) == [Subject.peer(1)])
    }

    @Test("a query is answered once")
    func answers() {
        var subject = Subject()
        subject.hear(query())
        let token = queries(&subject)[0].token
        #expect(subject.result(of: .respond(token, [7, 8])) == .success(.done))
        #expect(subject.sentDirectly.map(\.message) == [response([7, 8])])
        #expect(subject.result(of: .respond(token, [9])) == .failure(.alreadyAnswered))
        #expect(subject.sentDirectly.count == 1)
    }

    @Test("a query is not answered after its deadline, nor one that is unknown")
    func late() {
        var subject = Subject()
        subject.hear(query())
        let token = queries(&subject)[0].token
        subject.pass(.seconds(3))
        #expect(subject.result(of: .respond(token, [7])) == .failure(.queryOver))
        let unknown = QueryToken(rawValue: 77)
        #expect(subject.result(of: .respond(unknown, [7])) == .failure(.queryOver))
    }

    @Test("an answer over the limit is refused, and may be given again, shorter")
    func answerLimit() {
        var subject = Subject()
        subject.hear(query())
        let token = queries(&subject)[0].token
        let long = [UInt8](repeating: 0, count: 1024)
        guard
            case .failure(.responseTooLarge(let size, limit: 1024)) =
                subject.result(of: .respond(token, long))
        else {
            Issue.record("not refused")
            return
        }
        #expect(size > 1024)
        #expect(subject.result(of: .respond(token, [1])) == .success(.done))
    }

    @Test("a sender's timeout beyond reason does no harm", arguments: [.max, -1, .min] as [Int64])
    func oddTimeouts(timeout: Int64) {
        var subject = Subject()
        subject.hear(query(timeout: timeout))
        let event = queries(&subject)[0]
        #expect(
            event.deadline
                == subject.now + (timeout > 0 ? SerfLayer.queryTimeoutMax : .zero))
    }

    @Test("a flood of queries pushes out older ones")
    func floods() {
        var subject = Subject { $0.openCountMax = 2 }
        for id in 1...3 as ClosedRange<UInt32> { subject.hear(query(id: id)) }
        let tokens = queries(&subject).map(\.token)
        #expect(subject.result(of: .respond(tokens[0], [])) == .failure(.queryOver))
        #expect(subject.result(of: .respond(tokens[1], [])) == .success(.done))
        #expect(subject.result(of: .respond(tokens[2], [])) == .success(.done))
    }

    // MARK: Filters

    @Test(
        "a query is for those whom all filters let through",
        arguments: [
            ([], true), ([.nodes(["self"])], true), ([.nodes(["a", "self"])], true),
            ([.nodes(["a"])], false), ([.nodes([])], false),
            ([.tag(name: "role", expression: "web")], true),
            ([.tag(name: "role", expression: "^web$")], false),
            ([.tag(name: "role", expression: "^web-[0-9]+$")], true),
            ([.tag(name: "none", expression: "^$")], true),
            ([.tag(name: "none", expression: ".")], false),
            ([.tag(name: "role", expression: "(")], false), ([.unknown([9])], false),
            ([.nodes(["self"]), .tag(name: "role", expression: "db")], false),
            ([.nodes(["self"]), .tag(name: "role", expression: "web")], true),
        ] as [([QueryFilter], Bool)])
    func filters(filters: [QueryFilter], isMeant: Bool) {
        var subject = Subject(tags: ["role": "web-12"])
        subject.hear(query(filters: filters, flags: .acknowledge))
        #expect(queries(&subject).count == (isMeant ? 1 : 0))
        // Others may be meant, whom it reaches through us only.
        #expect(subject.gossip.count == 1)
    }

    @Test("who is not meant does not acknowledge")
    func notMeant() {
        var subject = Subject()
        subject.hear(query(filters: [.nodes(["a"])], flags: .acknowledge))
        #expect(subject.sentDirectly.isEmpty)
    }

    @Test("an expression that cannot be read is noticed")
    func badExpression() {
        var subject = Subject()
        subject.hear(query(filters: [.tag(name: "a", expression: "(")]))
        #expect(subject.observations == [.expressionRefused("(")])
    }

    // MARK: Relays

    @Test("a response is also sent over as many living members as the asker wants")
    func relays() {
        var subject = Subject()
        for number in 1...4 as ClosedRange<UInt32> { subject.admit("m\(number)", number) }
        subject.bury("m4")
        _ = subject.takeEffects()
        subject.hear(query(flags: .acknowledge, relayFactor: 2))
        let sent = subject.sentDirectly
        #expect(sent.count == 3)
        #expect(sent[0].to == Subject.peer(1))
        let bytes = response(flags: .acknowledge).encoded()
        let relay = SerfMessage.relay(
            RelayHeader(destination: Subject.peer(1), name: "m"), message: bytes)
        #expect(sent.dropFirst().allSatisfy { $0.message == relay })
        let helpers = Set(sent.dropFirst().map(\.to))
        #expect(helpers.count == 2)
        #expect(!helpers.contains(Subject.peer(4)) && !helpers.contains(Subject.endpoint))
    }

    @Test("with fewer members than that nobody relays")
    func noRelays() {
        var subject = Subject()
        subject.admit("m")
        subject.hear(query(flags: .acknowledge, relayFactor: 2))
        #expect(subject.sentDirectly.count == 1)
    }

    @Test("members that do not know relays are not asked to")
    func oldMembers() {
        var subject = Subject()
        var versions = Versions.current
        versions.swimMax = 4
        for number in 1...3 as ClosedRange<UInt32> {
            subject.hear(
                swim: .alive(
                    Alive(
                        incarnation: 1, node: "m\(number)", endpoint: Subject.peer(number),
                        meta: Tags.encode([:]), versions: versions)))
        }
        subject.hear(query(flags: .acknowledge, relayFactor: 2))
        #expect(subject.sentDirectly.count == 1)
    }

    @Test("a relayed response goes on as it came, and nothing else happens")
    func passesOn() {
        var subject = Subject()
        let inner = response([1, 2, 3])
        subject.hear(
            .relay(
                RelayHeader(destination: Subject.peer(7), name: "x"), message: inner.encoded()))
        #expect(subject.sentDirectly.map(\.message) == [inner])
        #expect(subject.sentDirectly.map(\.to) == [Subject.peer(7)])
        #expect(subject.gossip.isEmpty)
        #expect(subject.takeEvents().isEmpty)
    }

    @Test("only responses are relayed")
    func relaysNothingElse() {
        var subject = Subject()
        let header = RelayHeader(destination: Subject.peer(7), name: "x")
        let inner = SerfMessage.relay(header, message: response().encoded()).encoded()
        for message in [inner, query().encoded(), [], [5], [77]] {
            subject.hear(.relay(header, message: message))
        }
        #expect(subject.sentDirectly.isEmpty)
    }

    // MARK: Internal queries

    @Test("the ping is acknowledged, and no application hears of it")
    func ping() {
        var subject = Subject()
        subject.hear(query(flags: .acknowledge, name: "_serf_ping"))
        #expect(subject.sentDirectly.map(\.message) == [response(flags: .acknowledge)])
        #expect(queries(&subject).isEmpty)
    }

    @Test("an internal query that is not known is noticed, and no application hears of it")
    func unknown() {
        var subject = Subject()
        subject.hear(query(name: "_serf_dance"))
        #expect(subject.observations == [.unknownQuery(name: "_serf_dance")])
        #expect(queries(&subject).isEmpty)
        #expect(subject.gossip.count == 1)
    }

    @Test("what does not belong into gossip is dropped")
    func misplaced() {
        var subject = Subject()
        subject.hear(.state(Subject.emptyState))
        subject.hear(.conflict(nil))
        subject.hear(.keyRequest(KeyRequest(key: [])))
        subject.hear(
            .keyResponse(KeyResponse(isSuccess: true, message: "", keys: [], primaryKey: "")))
        subject.hear(bytes: [99, 0x80])
        #expect(
            subject.observations == [
                .misplaced(2), .misplaced(6), .misplaced(7), .misplaced(8),
                .malformed(.unknownType(99)),
            ])
        #expect(subject.gossip.isEmpty)
    }
}
