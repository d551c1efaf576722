// SPDX-License-Identifier: Apache-2.0

import SerfWire
import SwimCore
import Testing

@testable import SerfCore

/// A node that leaves, under a virtual clock, with a peer that the test plays.
@Suite struct LeavingTests {
    /// What a node gossiped, with the time since the leaving began.
    private struct Sent {
        var intents: [Duration] = []
        var deaths: [Duration] = []
        var answers: [Duration] = []
    }

    /// Lets time pass, and writes down what goes to the peer.
    private func watch(_ subject: inout Subject, for duration: Duration) -> Sent {
        let start = subject.now
        let end = start + duration
        var sent = Sent()
        while subject.now < end {
            for effect in subject.takeEffects() {
                guard case .swim(.send(let packet, _)) = effect else { continue }
                var unreadable = 0
                let parts = (try? Packet.decode(packet, unreadable: &unreadable)) ?? []
                for part in parts {
                    note(part, after: subject.now.duration(since: start), in: &sent)
                }
            }
            subject.pass(.milliseconds(10))
        }
        return sent
    }

    private func note(_ message: SwimMessage, after time: Duration, in sent: inout Sent) {
        switch message {
        case .user(let bytes):
            if case .leave? = try? SerfMessage.decode(bytes) { sent.intents.append(time) }
        case .dead(let dead):
            #expect(dead.node == "self" && dead.from == "self")
            sent.deaths.append(time)
        case .ack: sent.answers.append(time)
        default: break
        }
    }

    /// A node with one peer, which has been told everything.
    private func subject(gossips: Bool = true) -> Subject {
        var subject = Subject {
            $0.swim.probeInterval = .seconds(1000)
            $0.swim.pushPullInterval = .zero
            if !gossips { $0.swim.gossipInterval = .seconds(1000) }
        }
        subject.admit("m")
        if gossips { subject.pass(.seconds(5)) }
        _ = subject.takeEffects()
        return subject
    }

    @Test("a node says that it leaves, then that it is gone, then stays for a second")
    func sequence() {
        var subject = subject()
        _ = subject.command(.leave)
        #expect(subject.serf.phase == .leaving)
        #expect(subject.status(of: "self") == .leaving)
        let sent = watch(&subject, for: .seconds(1))
        // As often as the limit says for two nodes, at a gossip each, the second after the first.
        #expect(sent.intents.count == 4)
        #expect(sent.deaths.count >= 1)
        #expect(sent.intents.allSatisfy { intent in sent.deaths.allSatisfy { intent < $0 } })
        #expect(subject.serf.phase == .leaving)
        let rest = watch(&subject, for: .seconds(2))
        #expect(sent.deaths.count + rest.deaths.count == 4)
        #expect(subject.serf.phase == .left)
        #expect(subject.status(of: "self") == .left)
        #expect(subject.serf.nextDeadline == nil)
    }

    @Test("the last effects are the end of the command and the stop")
    func ends() {
        var subject = subject()
        let id = subject.command(.leave)
        subject.pass(.seconds(10))
        let effects = subject.takeEffects()
        #expect(
            effects.suffix(2) == [.ended(id, .success(.done)), .stop(.left)])
    }

    @Test("the time is that of two broadcasts and the delay")
    func duration() {
        var subject = subject()
        _ = subject.command(.leave)
        var passed = Duration.zero
        while subject.serf.phase == .leaving, passed < .seconds(20) {
            subject.pass(.milliseconds(10))
            passed += .milliseconds(10)
        }
        // Four gossips each, at 200 ms; then a second.
        #expect((.seconds(2)...(.milliseconds(3000))).contains(passed), "\(passed)")
    }

    @Test("a node that cannot tell anybody goes on after the timeouts")
    func timeouts() {
        var subject = subject(gossips: false)
        let id = subject.command(.leave)
        subject.pass(.milliseconds(4990))
        #expect(subject.status(of: "self") == .leaving)
        subject.pass(.milliseconds(20))
        #expect(subject.status(of: "self") == .left)
        #expect(subject.serf.phase == .leaving)
        subject.pass(.milliseconds(5980))
        #expect(subject.serf.phase == .leaving)
        subject.pass(.milliseconds(20))
        #expect(subject.serf.phase == .left)
        #expect(subject.end(of: id) == .success(.done))
    }

    @Test("a node that is alone leaves at once")
    func alone() {
        var subject = Subject()
        let id = subject.command(.leave)
        #expect(subject.end(of: id) == .success(.done))
        #expect(subject.serf.phase == .left)
        #expect(subject.takeEffects().last == .stop(.left))
    }

    @Test("a node whose last peer dies while it leaves does not wait for it")
    func peerDies() {
        var subject = subject(gossips: false)
        let id = subject.command(.leave)
        subject.bury("m")
        #expect(subject.end(of: id) == .success(.done))
        #expect(subject.serf.phase == .left)
    }

    @Test("a node answers pings until it is gone, and never after")
    func answersPings() {
        var subject = subject()
        _ = subject.command(.leave)
        _ = watch(&subject, for: .milliseconds(1800))
        #expect(subject.serf.phase == .leaving)
        subject.hear(swim: .ping(Ping(sequence: 7, node: "self", source: nil)))
        #expect(watch(&subject, for: .milliseconds(10)).answers.count == 1)
        _ = watch(&subject, for: .seconds(3))
        subject.hear(swim: .ping(Ping(sequence: 8, node: "self", source: nil)))
        #expect(subject.takeEffects().isEmpty)
    }

    @Test("a node that leaves does not contradict who says so")
    func noRefutation() {
        var subject = subject()
        _ = subject.command(.leave)
        subject.hear(.leave(LeaveIntent(time: LamportTime(99), node: "self", prune: true)))
        #expect(!subject.observations.contains(.leaveRefuted))
        subject.pass(.seconds(5))
        #expect(subject.status(of: "self") == .left)
    }

    @Test("a node that leaves is not called back, by others or by a join of its own")
    func stays() throws {
        var subject = subject()
        _ = subject.command(.join([Subject.peer(1)], replayEvents: false))
        let stream = try #require(subject.lastExchange?.stream)
        _ = subject.command(.leave)
        subject.hear(.join(JoinIntent(time: LamportTime(99), node: "self")))
        subject.receive(.answer(stream, Subject.answer()))
        #expect(subject.status(of: "self") == .leaving)
        // The others must not hear from us that we stay.
        let joins = subject.gossip.compactMap { message -> LamportTime? in
            if case .join(let intent) = message { intent.time } else { nil }
        }
        #expect(joins == [LamportTime(99)])
        subject.pass(.seconds(5))
        #expect(subject.status(of: "self") == .left)
    }

    @Test("whoever leaves, or has left, takes no commands")
    func refusesCommands() {
        let commands: [Serf.Command] = [
            .leave, .join([Subject.peer(1)], replayEvents: false), .setTags([:]),
            .forceLeave("m", prune: false), .send(name: "e", payload: [], mayCoalesce: false),
            .query(QueryRequest(name: "q")), .key(.list),
        ]
        var subject = subject()
        _ = subject.command(.leave)
        for command in commands {
            #expect(subject.result(of: command) == .failure(.notRunning(.leaving)))
        }
        subject.pass(.seconds(10))
        for command in commands + [.respond(QueryToken(rawValue: 1), [])] {
            #expect(subject.result(of: command) == .failure(.notRunning(.left)))
        }
        var fresh = Subject(isStarted: false)
        for command in commands {
            #expect(fresh.result(of: command) == .failure(.notRunning(.new)))
        }
    }

    @Test("a query that came before is still answered while we leave")
    func answersQueries() throws {
        var subject = subject()
        subject.hear(
            .query(
                QueryMessage(
                    time: LamportTime(4), id: 9, origin: Subject.peer(1), originNode: "m",
                    filters: [], flags: [], relayFactor: 0, timeout: 3_000_000_000, name: "q",
                    payload: [])))
        guard case .query(let event)? = subject.takeEvents().last else {
            Issue.record("no query")
            return
        }
        _ = subject.command(.leave)
        #expect(subject.result(of: .respond(event.token, [1])) == .success(.done))
    }

    @Test("commands that wait when the node ends end with it")
    func endsCommands() {
        var subject = subject(gossips: false)
        let query = subject.command(.query(QueryRequest(name: "q", timeout: .seconds(60))))
        let join = subject.command(.join([Subject.peer(7)], replayEvents: false))
        let leave = subject.command(.leave)
        subject.bury("m")
        #expect(subject.end(of: query) == .failure(.stopped(.left)))
        #expect(subject.end(of: join) == .failure(.stopped(.left)))
        #expect(subject.end(of: leave) == .success(.done))
    }
}
