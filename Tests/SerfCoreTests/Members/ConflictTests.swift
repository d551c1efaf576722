// SPDX-License-Identifier: Apache-2.0

import SerfWire
import SwimCore
import Testing

@testable import SerfCore

/// Two nodes of one name.
@Suite struct ConflictTests {
    /// A node whose name is claimed by somebody at address 9.
    private func challenged(
        settings: (inout SerfSettings) -> Void = { _ in }
    ) -> Subject {
        var subject = Subject(settings: settings)
        for number in 1...3 as ClosedRange<UInt32> { subject.admit("m\(number)", number) }
        _ = subject.takeEffects()
        subject.admit("self", 9, incarnation: 7)
        return subject
    }

    private func answer(_ subject: inout Subject, from: String, _ endpoint: Endpoint?) {
        guard let asked = subject.serf.layer.asked.first else { return }
        let member = endpoint.map {
            ConflictMember(name: "self", endpoint: $0, tags: [:], status: 1, versions: .current)
        }
        subject.hear(
            .response(
                QueryResponse(
                    time: asked.time, id: asked.id, from: from, flags: [],
                    payload: SerfMessage.conflict(member).encoded())))
    }

    @Test("a node whose name another claims asks all others, once")
    func asks() {
        var subject = challenged()
        subject.admit("self", 9, incarnation: 8)
        let queries = subject.gossip.compactMap { message -> QueryMessage? in
            if case .query(let query) = message { query } else { nil }
        }
        #expect(queries.map(\.name) == ["_serf_conflict"])
        #expect(queries.first?.payload == Array("self".utf8))
        #expect(queries.first?.flags == [])
        #expect(
            subject.observations.first
                == .nameConflict(
                    node: "self", known: Subject.endpoint, other: Subject.peer(9)))
    }

    @Test(
        "a node keeps its name only if most of the answers are for it",
        arguments: [
            ([], false), ([true], true), ([false], false), ([nil], false),
            ([true, false], false), ([true, true, false], true), ([true, false, false], false),
            ([true, true, nil, false], false), ([true, true, true, false], true),
        ] as [([Bool?], Bool)])
    func majority(answers: [Bool?], keeps: Bool) {
        var subject = challenged()
        for (number, isForUs) in answers.enumerated() {
            answer(
                &subject, from: "x\(number)",
                isForUs.map { $0 ? Subject.endpoint : Subject.peer(9) })
        }
        subject.pass(.milliseconds(3199))
        #expect(subject.serf.phase == .running)
        subject.pass(.milliseconds(1))
        #expect(subject.serf.phase == (keeps ? .running : .stopped))
        let reason = StopReason.nameConflict(
            agreeing: answers.count { $0 == true }, answers: answers.count)
        #expect((subject.takeEffects().last == .stop(reason)) == !keeps)
    }

    @Test("an answer with our address and another port is not for us")
    func otherPort() {
        var subject = challenged()
        var endpoint = Subject.endpoint
        endpoint.port = 1
        answer(&subject, from: "a", endpoint)
        subject.pass(.seconds(4))
        #expect(subject.serf.phase == .stopped)
    }

    @Test("a node that does not resolve conflicts asks nobody")
    func off() {
        var subject = challenged { $0.resolvesConflicts = false }
        #expect(subject.serf.layer.asked.isEmpty)
        subject.pass(.seconds(10))
        #expect(subject.serf.phase == .running)
    }

    @Test("a conflict about another's name is not ours to resolve")
    func othersName() {
        var subject = Subject()
        subject.admit("m", 1)
        subject.admit("m", 2, incarnation: 5)
        #expect(subject.serf.layer.asked.isEmpty)
        #expect(
            subject.observations == [
                .nameConflict(node: "m", known: Subject.peer(1), other: Subject.peer(2))
            ])
        #expect(subject.serf.member(named: "m")?.endpoint == Subject.peer(1))
    }

    // MARK: Answering others

    private func answer(to name: String) -> QueryResponse? {
        var subject = Subject()
        subject.admit("m", 3, tags: ["a": "1"])
        _ = subject.takeEffects()
        subject.hear(
            .query(
                QueryMessage(
                    time: LamportTime(4), id: 9, origin: Subject.peer(1), originNode: "x",
                    filters: [], flags: [], relayFactor: 0, timeout: 1_000_000_000,
                    name: "_serf_conflict", payload: Array(name.utf8))))
        guard case .response(let response)? = subject.sentDirectly.first?.message else {
            return nil
        }
        return response
    }

    @Test("who asks about a member is told what we know of it")
    func answersKnown() throws {
        let response = try #require(answer(to: "m"))
        #expect(
            try SerfMessage.decode(response.payload)
                == .conflict(
                    ConflictMember(
                        name: "m", endpoint: Subject.peer(3), tags: ["a": "1"], status: 1,
                        versions: .current)))
    }

    @Test("who asks about a name that we do not know is told so")
    func answersUnknown() {
        #expect(answer(to: "y")?.payload == [0x06, 0xc0])
    }

    @Test("about our own name we are no judge")
    func ownName() {
        #expect(answer(to: "self") == nil)
    }
}
