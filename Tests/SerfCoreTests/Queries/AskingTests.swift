// SPDX-License-Identifier: Apache-2.0

import SerfWire
import SwimCore
import Testing

@testable import SerfCore

/// A node's own queries.
@Suite struct AskingTests {
    /// The query that a node has sent last, as it waits to be gossiped.
    private func sent(_ subject: Subject) throws -> QueryMessage {
        for case .query(let query) in subject.gossip { return query }
        throw Missing()
    }

    private struct Missing: Error {}

    private func response(
        to query: QueryMessage, from: String, payload: [UInt8] = [], isAck: Bool = false
    ) -> SerfMessage {
        .response(
            QueryResponse(
                time: query.time, id: query.id, from: from, flags: isAck ? .acknowledge : [],
                payload: payload))
    }

    private func progress(_ subject: Subject) -> [QueryProgress] {
        var subject = subject
        return subject.takeEffects().compactMap {
            if case .queryProgress(_, let progress) = $0 { progress } else { nil }
        }
    }

    @Test("a query goes to all with what was asked, and to ourselves over the network")
    func sends() throws {
        var subject = Subject()
        _ = subject.command(
            .query(
                QueryRequest(
                    name: "q", payload: [1], nodes: ["self", "m"], tags: ["b": "2", "a": "1"],
                    wantsAcks: true, relayFactor: 3, timeout: .seconds(2))))
        let query = try sent(subject)
        #expect(query.time == LamportTime(1))
        #expect(query.id <= UInt32(Int32.max))
        #expect(query.origin == Subject.endpoint)
        #expect(query.originNode == "self")
        #expect(
            query.filters == [
                .nodes(["self", "m"]), .tag(name: "a", expression: "1"),
                .tag(name: "b", expression: "2"),
            ])
        #expect(query.flags == .acknowledge)
        #expect(query.relayFactor == 3)
        #expect(query.timeout == 2_000_000_000)
        #expect(subject.serf.layer.queryClock.time == LamportTime(2))
        // Tag a is not 1 here, so we are not meant.
        #expect(subject.sentDirectly.isEmpty)
        _ = subject.command(.query(QueryRequest(name: "q", wantsAcks: true)))
        #expect(subject.sentDirectly.map(\.to) == [Subject.endpoint])
    }

    @Test("acks and answers are reported as they come, each sender's once, and all at the deadline")
    func collects() throws {
        var subject = Subject()
        subject.admit("m")
        let id = subject.command(.query(QueryRequest(name: "q", timeout: .seconds(2))))
        let query = try sent(subject)
        _ = subject.takeEffects()
        for _ in 0..<2 {
            subject.hear(response(to: query, from: "m", isAck: true))
            subject.hear(response(to: query, from: "m", payload: [1]))
            subject.hear(response(to: query, from: "self", payload: [2]))
        }
        subject.hear(response(to: query, from: "m", payload: [3]))
        #expect(
            progress(subject) == [
                .ack(from: "m"), .response(from: "m", payload: [1]),
                .response(from: "self", payload: [2]),
            ])
        #expect(subject.end(of: id) == nil)
        subject.pass(.seconds(2))
        var result = QueryResult()
        result.acks = ["m"]
        result.responses = [
            .init(from: "m", payload: [1]), .init(from: "self", payload: [2]),
        ]
        #expect(subject.end(of: id) == .success(.answered(result)))
    }

    @Test("an answer that is late, or to another query, counts for nothing")
    func ignores() throws {
        var subject = Subject()
        let id = subject.command(.query(QueryRequest(name: "q", timeout: .seconds(2))))
        var query = try sent(subject)
        query.id ^= 1
        subject.hear(response(to: query, from: "m", payload: [1]))
        query.id ^= 1
        query.time = LamportTime(77)
        subject.hear(response(to: query, from: "m", payload: [1]))
        query.time = LamportTime(1)
        // The deadline has passed, but the tick is late.
        subject.now = subject.now + .seconds(2)
        subject.hear(response(to: query, from: "m", payload: [1]))
        subject.receive(.tick)
        #expect(subject.end(of: id) == .success(.answered(QueryResult())))
    }

    @Test("invented senders do not fill the memory")
    func bounded() throws {
        var subject = Subject()
        let id = subject.command(.query(QueryRequest(name: "q", timeout: .seconds(2))))
        let query = try sent(subject)
        for number in 0..<100 {
            subject.hear(response(to: query, from: "m\(number)", payload: [1]))
            subject.hear(response(to: query, from: "m\(number)", isAck: true))
        }
        subject.pass(.seconds(2))
        guard case .success(.answered(let result)) = subject.end(of: id) else {
            Issue.record("no end")
            return
        }
        // Twice the members, and 16.
        #expect(result.acks.count == 18)
        #expect(result.responses.count == 18)
    }

    @Test("answers of all open queries together take no more than some megabytes")
    func answersAreBounded() throws {
        var subject = Subject()
        var ids: [CommandID] = []
        let payload = [UInt8](repeating: 1, count: 60_000)
        for _ in 0..<20 {
            ids.append(subject.command(.query(QueryRequest(name: "q", timeout: .seconds(2)))))
            let asked = try #require(subject.serf.layer.asked.last)
            for number in 0..<18 {
                subject.serf.layer.hear(
                    QueryResponse(
                        time: asked.time, id: asked.id, from: "m\(number)", flags: [],
                        payload: payload))
            }
        }
        let kept = subject.serf.layer.asked.reduce(0) { $0 + $1.byteCount }
        #expect(kept <= SerfLayer.answerBytesMax)
        #expect(kept > SerfLayer.answerBytesMax - 2 * payload.count)
    }

    @Test(
        "the default timeout grows with the decimal digits of the living",
        arguments: [
            (1, 3200), (3, 3200), (9, 3200), (10, 6400), (99, 6400), (100, 9600),
        ])
    func defaultTimeout(live: Int, milliseconds: Int) throws {
        var subject = Subject()
        for number in 1..<live { subject.admit("m\(number)", UInt32(number)) }
        subject.admit("dead", 200)
        subject.bury("dead")
        #expect(subject.serf.layer.defaultQueryTimeout == .milliseconds(milliseconds))
        _ = subject.command(.query(QueryRequest(name: "q", timeout: .zero)))
        #expect(try sent(subject).timeout == Int64(milliseconds) * 1_000_000)
    }

    @Test("a query over the limit is refused, with size and limit")
    func tooLarge() {
        var subject = Subject()
        let request = QueryRequest(name: "q", payload: [UInt8](repeating: 0, count: 1024))
        guard
            case .failure(.queryTooLarge(let size, limit: 1024)) =
                subject.result(of: .query(request))
        else {
            Issue.record("not refused")
            return
        }
        #expect(size > 1024)
        #expect(subject.gossip.isEmpty)
        #expect(subject.serf.layer.asked.isEmpty)
    }

    @Test("Serf's own names are refused, but the ping without a payload")
    func reserved() {
        var subject = Subject()
        for name in ["_serf_conflict", "_serf_install-key", "_serf_"] {
            #expect(
                subject.result(of: .query(QueryRequest(name: name)))
                    == .failure(.reservedName(name)))
        }
        #expect(
            subject.result(of: .query(QueryRequest(name: "_serf_ping", payload: [1])))
                == .failure(.reservedName("_serf_ping")))
        #expect(subject.result(of: .query(.ping)) == nil)
        #expect(subject.gossip.count == 1)
    }

    @Test("only so many queries may be open")
    func tooMany() {
        var subject = Subject { $0.openCountMax = 2 }
        #expect(subject.result(of: .query(QueryRequest(name: "q"))) == nil)
        #expect(subject.result(of: .query(QueryRequest(name: "q"))) == nil)
        #expect(
            subject.result(of: .query(QueryRequest(name: "q"))) == .failure(.tooMany(limit: 2)))
    }
}
