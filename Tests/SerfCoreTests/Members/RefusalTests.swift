// SPDX-License-Identifier: Apache-2.0

import SerfWire
import SwimCore
import Testing

@testable import SerfCore

/// Members of another cluster are kept out.
@Suite struct RefusalTests {
    private func subject() -> Subject {
        Subject(tags: ["cluster": "ours"]) { $0.commonTags = ["cluster": "ours"] }
    }

    private func refusals(_ subject: inout Subject) -> [String] {
        subject.takeEffects().compactMap { effect in
            if case .swim(.observe(.refused(let node, _))) = effect { node } else { nil }
        }
    }

    @Test(
        "a node is let in unless a common tag has another value",
        arguments: [
            (["cluster": "ours"], true), (["cluster": "theirs"], false), ([:], true),
            (["cluster": ""], false), (["other": "x"], true),
        ] as [([String: String], Bool)])
    func gossip(tags: [String: String], isIn: Bool) {
        var subject = subject()
        subject.admit("m", tags: tags)
        #expect((subject.status(of: "m") == .alive) == isIn)
        #expect(refusals(&subject) == (isIn ? [] : ["m"]))
    }

    @Test("a member does not change over to another cluster")
    func changesOver() {
        var subject = subject()
        subject.admit("m", tags: ["cluster": "ours"])
        subject.admit("m", tags: ["cluster": "theirs"], incarnation: 2)
        #expect(subject.serf.member(named: "m")?.tags == ["cluster": "ours"])
        #expect(refusals(&subject) == ["m"])
    }

    @Test("nothing of a peer from another cluster is merged, and the join says why")
    func merge() throws {
        var subject = subject()
        let id = subject.command(.join([Subject.peer(1)], replayEvents: true))
        let exchange = try #require(subject.lastExchange)
        var state = Subject.emptyState
        state.time = LamportTime(99)
        let nodes = [
            Subject.record("a", 1, tags: ["cluster": "theirs"]), Subject.record("agent", 2),
        ]
        subject.receive(.answer(exchange.stream, Subject.answer(state, nodes: nodes)))
        guard case .failure(.joinFailed(let failures)) = subject.end(of: id),
            case .refused(let text)? = failures.first?.reason
        else {
            Issue.record("joined another cluster")
            return
        }
        #expect(text.contains("theirs") && text.contains("ours"))
        #expect(subject.serf.members.map(\.name) == ["self"])
        #expect(subject.serf.layer.memberClock.time == LamportTime(1))
    }

    @Test("a peer that knows ours as well is heard, and only the others are refused")
    func mixed() {
        var subject = subject()
        subject.exchange(
            Subject.emptyState,
            nodes: [
                Subject.record("a", 1, tags: ["cluster": "theirs"]), Subject.record("agent", 2),
                Subject.record("b", 3, tags: ["cluster": "ours"]),
            ], isJoin: true)
        #expect(subject.serf.members.map(\.name) == ["agent", "b", "self"])
        #expect(refusals(&subject) == ["a"])
    }

    @Test("the dead of another cluster are nobody's concern")
    func dead() {
        var subject = subject()
        subject.exchange(
            Subject.emptyState,
            nodes: [
                Subject.record("a", 1, tags: ["cluster": "theirs"], state: .dead),
                Subject.record("agent", 2),
            ])
        #expect(subject.serf.members.map(\.name) == ["agent", "self"])
    }

    @Test("what others say of this node is never a reason")
    func own() {
        var subject = subject()
        subject.exchange(
            Subject.emptyState,
            nodes: [
                Subject.record("self", 1, tags: ["cluster": "theirs"]),
                Subject.record("agent", 2),
            ])
        #expect(subject.serf.members.map(\.name) == ["agent", "self"])
        #expect(subject.serf.localMember.tags == ["cluster": "ours"])
    }

    @Test("without common tags everybody is let in")
    func open() {
        var subject = Subject(tags: ["cluster": "ours"])
        subject.admit("m", tags: ["cluster": "theirs"])
        #expect(subject.status(of: "m") == .alive)
    }

    @Test("more members than there is room for are refused, known ones are not")
    func full() {
        var subject = Subject { $0.memberCountMax = 3 }
        for number in 1...4 as ClosedRange<UInt32> { subject.admit("m\(number)", number) }
        #expect(subject.serf.members.map(\.name) == ["m1", "m2", "self"])
        #expect(refusals(&subject) == ["m3", "m4"])
        subject.admit("m1", 1, tags: ["a": "b"], incarnation: 2)
        #expect(subject.serf.member(named: "m1")?.tags == ["a": "b"])
    }

    @Test("tags that cannot be read are none")
    func unreadable() {
        var subject = Subject()
        subject.hear(
            swim: .alive(
                Alive(
                    incarnation: 1, node: "m", endpoint: Subject.peer(1), meta: [0xff, 0x81],
                    versions: .current)))
        #expect(subject.serf.member(named: "m")?.tags == [:])
        // A node of the second protocol says its role and nothing else.
        subject.hear(
            swim: .alive(
                Alive(
                    incarnation: 1, node: "old", endpoint: Subject.peer(2),
                    meta: Array("db".utf8), versions: .current)))
        #expect(subject.serf.member(named: "old")?.tags == ["role": "db"])
    }
}
