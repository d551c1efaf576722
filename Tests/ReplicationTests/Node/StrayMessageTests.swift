// SPDX-License-Identifier: Apache-2.0

import CommitLog
import RaftCore
import Records
import Replication
import Testing

@Suite("Messages that are for somebody else")
struct StrayMessageTests {
    private func heartbeat(_ harness: NodeHarness, term: UInt64) -> PeerMessage {
        PeerMessage(
            group: harness.group,
            message: Message(
                from: harness.ids[1], to: harness.ids[0], term: Term(term),
                body: .heartbeat(Heartbeat(commit: .zero, round: 1))))
    }

    private func envelope(_ message: PeerMessage, incarnation: UInt64 = 100) -> NodeMessage {
        NodeMessage(
            from: 2, incarnation: incarnation, to: 1, cluster: 5, messages: [message])
    }

    private func term(_ harness: NodeHarness, after message: NodeMessage) -> UInt64? {
        harness.turn(0) {
            $0.receive(message, now: Timestamp(milliseconds: 1), into: &$1)
        }
        return harness.replica(0)?.raft.term.rawValue
    }

    @Test("another cluster's, node's, group's or life's change nothing; one's own do")
    func strays() throws {
        let harness = NodeHarness(3)
        try harness.startAll()
        var message = envelope(heartbeat(harness, term: 40))
        message.cluster = 6
        #expect(term(harness, after: message) == 0)
        message = envelope(heartbeat(harness, term: 40))
        message.to = 3
        #expect(term(harness, after: message) == 0)
        message = envelope(heartbeat(harness, term: 40))
        message.messages[0].group.partition = 9
        #expect(term(harness, after: message) == 0)
        message = envelope(heartbeat(harness, term: 40))
        message.messages[0].message.to.life += 1
        #expect(term(harness, after: message) == 0)
        #expect(harness.network.isEmpty)
        #expect(term(harness, after: envelope(heartbeat(harness, term: 40))) == 40)
    }

    @Test("a former incarnation's are dropped, once a later one was heard")
    func formerIncarnation() throws {
        let harness = NodeHarness(3)
        try harness.startAll()
        #expect(term(harness, after: envelope(heartbeat(harness, term: 40))) == 40)
        let late = envelope(heartbeat(harness, term: 60), incarnation: 99)
        #expect(term(harness, after: late) == 40)
        #expect(term(harness, after: envelope(heartbeat(harness, term: 60))) == 60)
    }

    @Test("messages whose entries are not what they say change nothing, and do no harm")
    func nonsense() throws {
        let harness = NodeHarness(3)
        try harness.startAll()
        func append(_ entry: LogEntry, _ info: EntryInfo, previous: UInt64 = 0) -> NodeMessage {
            var message = heartbeat(harness, term: 40)
            message.message.body = .append(
                Append(
                    previousIndex: LogIndex(previous), previousTerm: Term(previous),
                    entries: [info], commit: .zero))
            message.entries = [entry]
            return envelope(message)
        }
        let good = LogEntry(.noOp, term: Term(40), baseOffset: .zero)
        let info = EntryInfo(term: Term(40), size: good.size, kind: .noOp)
        var bad = good
        bad.payloadChecksum ^= 1
        #expect(term(harness, after: append(bad, info)) == 0)
        #expect(
            term(harness, after: append(good, EntryInfo(term: Term(39), size: 0, kind: .noOp)))
                == 0)
        #expect(
            term(harness, after: append(good, EntryInfo(term: Term(40), size: 0))) == 0)
        #expect(harness.replica(0)?.log.lastIndex == .zero)
        #expect(term(harness, after: append(good, info)) == 40)
        #expect(harness.replica(0)?.log.lastIndex == LogIndex(1))
    }

    @Test("entries at offsets that cannot be end the replica, and not the process")
    func otherOffsets() throws {
        let harness = NodeHarness(3)
        try harness.startAll()
        var message = heartbeat(harness, term: 40)
        let entry = LogEntry(.noOp, term: Term(40), baseOffset: Offset(7))
        message.message.body = .append(
            Append(
                previousIndex: .zero, previousTerm: .zero,
                entries: [EntryInfo(term: Term(40), size: entry.size, kind: .noOp)],
                commit: .zero))
        message.entries = [entry]
        #expect(term(harness, after: envelope(message)) == 40)
        #expect(harness.replica(0)?.log.lastIndex == .zero)
        let hasFailed = harness.outputs[0].contains {
            if case .failed(.unusable) = $0 { true } else { false }
        }
        #expect(hasFailed)
        harness.network = []
        harness.run(ticks: 60)
        #expect(harness.replica(0)?.log.lastIndex == .zero)
        #expect(harness.leader != nil && harness.leader != 0)
    }
}
