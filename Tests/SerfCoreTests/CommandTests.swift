// SPDX-License-Identifier: Apache-2.0

import SerfWire
import SwimCore
import Testing

@testable import SerfCore

/// Joining, tags, and leaving of others.
@Suite struct CommandTests {
    // MARK: Making a node

    @Test("a node's name has 1 to 255 bytes", arguments: [0, 256])
    func names(size: Int) {
        #expect(throws: SerfError.invalidName(size: size)) {
            try Serf(
                settings: .lan, name: String(repeating: "n", count: size),
                endpoint: Subject.endpoint, tags: [:], keyring: nil, seed: 1,
                at: Moment(nanoseconds: 0))
        }
    }

    @Test("tags over 512 bytes are refused, with size and limit")
    func tooManyTags() throws {
        let tags = ["t": String(repeating: "x", count: 600)]
        let size = Tags.encode(tags).count
        #expect(throws: SerfError.tagsTooLarge(size: size, limit: 512)) {
            try Serf(
                settings: .lan, name: "n", endpoint: Subject.endpoint, tags: tags, keyring: nil,
                seed: 1, at: Moment(nanoseconds: 0))
        }
        var subject = Subject(tags: ["a": "1"])
        #expect(
            subject.result(of: .setTags(tags))
                == .failure(.tagsTooLarge(size: size, limit: 512)))
        #expect(subject.serf.localMember.tags == ["a": "1"])
        #expect(
            SerfError.tagsTooLarge(size: size, limit: 512).description
                == "the tags take \(size) bytes; at most 512")
    }

    @Test("a node is its own first member, and says so when it starts")
    func starts() {
        var subject = Subject(tags: ["a": "1"], isStarted: false)
        #expect(subject.serf.nextDeadline == nil)
        #expect(subject.serf.localMember.tags == ["a": "1"])
        subject.receive(.tick)
        subject.hear(.join(JoinIntent(time: LamportTime(9), node: "x")))
        #expect(subject.takeEffects().isEmpty)
        subject.receive(.start)
        subject.receive(.start)
        #expect(subject.takeEvents() == [.joined([subject.serf.localMember])])
        #expect(subject.serf.nextDeadline != nil)
    }

    // MARK: Joining

    @Test("a join exchanges with each address, and says how many answered and which did not")
    func joins() {
        var subject = Subject()
        let id = subject.command(
            .join((1...3).map { Subject.peer($0) }, replayEvents: false))
        let opened = subject.takeEffects().compactMap { effect -> (StreamID, Endpoint)? in
            guard case .swim(.open(let stream, let to, _, _)) = effect else { return nil }
            return (stream, to)
        }
        #expect(opened.map(\.1) == (1...3).map { Subject.peer($0) })
        subject.receive(.streamFailed(opened[0].0, .timedOut))
        subject.receive(
            .answer(opened[1].0, Subject.answer(nodes: [Subject.record("m", 2)])))
        #expect(subject.status(of: "m") == .alive)
        #expect(subject.end(of: id) == nil)
        subject.receive(.streamFailed(opened[2].0, .unreachable("refused")))
        #expect(
            subject.end(of: id)
                == .success(
                    .joined(
                        count: 1,
                        failures: [
                            JoinFailure(endpoint: Subject.peer(1), reason: .stream(.timedOut)),
                            JoinFailure(
                                endpoint: Subject.peer(3),
                                reason: .stream(.unreachable("refused"))),
                        ])))
    }

    @Test("a join that nobody answers fails, and says why")
    func joinFails() throws {
        var subject = Subject()
        let id = subject.command(.join([Subject.peer(1)], replayEvents: false))
        let stream = try #require(subject.lastExchange?.stream)
        subject.receive(.streamFailed(stream, .closed))
        let failures = [JoinFailure(endpoint: Subject.peer(1), reason: .stream(.closed))]
        #expect(subject.end(of: id) == .failure(.joinFailed(failures)))
        #expect(subject.gossip.isEmpty)
        #expect(SerfError.joinFailed(failures).description.contains("127.0.1.1:7946"))
    }

    @Test("after the merge a join intent with the merged clock goes out, and counts here")
    func joinIntent() throws {
        var subject = Subject()
        _ = subject.command(.join([Subject.peer(1)], replayEvents: false))
        let stream = try #require(subject.lastExchange?.stream)
        var state = Subject.emptyState
        state.time = LamportTime(40)
        subject.receive(.answer(stream, Subject.answer(state)))
        #expect(subject.gossip == [.join(JoinIntent(time: LamportTime(40), node: "self"))])
        #expect(subject.serf.localMember.statusTime == LamportTime(40))
        #expect(subject.serf.layer.memberClock.time == LamportTime(41))
    }

    @Test("a join of no address is done, one of too many is refused")
    func joinBounds() {
        var subject = Subject()
        #expect(
            subject.result(of: .join([], replayEvents: false))
                == .success(.joined(count: 0, failures: [])))
        let limit = subject.serf.settings.swim.exchangesMax
        let many = (0...UInt32(limit)).map { Subject.peer($0) }
        #expect(
            subject.result(of: .join(many, replayEvents: false))
                == .failure(.tooMany(limit: limit)))
    }

    // MARK: Tags

    @Test("new tags are told, announced, and the command ends when the others know")
    func setsTags() {
        var subject = Subject()
        subject.admit("m")
        _ = subject.takeEffects()
        let id = subject.command(.setTags(["a": "2"]))
        #expect(subject.serf.localMember.tags == ["a": "2"])
        #expect(subject.end(of: id) == nil)
        subject.pass(.seconds(3))
        #expect(subject.end(of: id) == .success(.done))
        let updated = subject.takeEvents().compactMap { event -> [Member]? in
            if case .updated(let members) = event { members } else { nil }
        }
        #expect(updated.map { $0.map(\.tags) } == [[["a": "2"]]])
    }

    @Test("alone, new tags hold at once")
    func setsTagsAlone() {
        var subject = Subject()
        #expect(subject.result(of: .setTags(["a": "2"])) == .success(.done))
    }

    @Test("new tags that could not be announced in time hold, and the command says so")
    func tagsTimeOut() {
        var subject = Subject {
            $0.swim.gossipInterval = .seconds(1000)
            $0.swim.probeInterval = .seconds(1000)
        }
        subject.admit("m")
        let id = subject.command(.setTags(["a": "2"]))
        subject.pass(.milliseconds(4999))
        #expect(subject.end(of: id) == nil)
        subject.pass(.milliseconds(1))
        #expect(subject.end(of: id) == .failure(.broadcastTimedOut))
        #expect(subject.serf.localMember.tags == ["a": "2"])
    }

    @Test("newer tags end the wait for older ones")
    func replacesTags() {
        var subject = Subject()
        subject.admit("m")
        let first = subject.command(.setTags(["a": "2"]))
        let second = subject.command(.setTags(["a": "3"]))
        #expect(subject.end(of: first) == .success(.done))
        #expect(subject.end(of: second) == nil)
    }

    // MARK: Forcing others to leave

    @Test("a failed member can be declared as left, or forgotten", arguments: [false, true])
    func forceLeave(prune: Bool) {
        var subject = Subject {
            $0.swim.probeInterval = .seconds(1000)
            $0.swim.pushPullInterval = .zero
        }
        subject.admit("m", 1)
        subject.admit("other", 2)
        subject.bury("m")
        let id = subject.command(.forceLeave("m", prune: prune))
        #expect(subject.status(of: "m") == (prune ? nil : .left))
        #expect(
            subject.gossip == [
                .leave(LeaveIntent(time: LamportTime(1), node: "m", prune: prune))
            ])
        #expect(subject.end(of: id) == nil)
        subject.pass(.seconds(3))
        #expect(subject.end(of: id) == .success(.done))
    }

    @Test("nobody to tell: the command ends at once")
    func forceLeaveAlone() {
        var subject = Subject()
        subject.admit("m")
        subject.bury("m")
        #expect(subject.result(of: .forceLeave("m", prune: false)) == .success(.done))
    }

    @Test("a node cannot force itself, nor somebody unknown, to leave")
    func forceLeaveRefused() {
        var subject = Subject()
        #expect(subject.result(of: .forceLeave("self", prune: false)) == .failure(.ownName))
        #expect(
            subject.result(of: .forceLeave("x", prune: false)) == .failure(.unknownMember("x")))
        #expect(subject.gossip.isEmpty)
    }

    @Test("only so many commands wait at a time")
    func commandsAreBounded() {
        var subject = Subject {
            $0.openCountMax = 2
            $0.swim.gossipInterval = .seconds(1000)
        }
        subject.admit("m")
        subject.admit("gone", 2)
        subject.bury("gone")
        for _ in 0..<2 { #expect(subject.result(of: .forceLeave("gone", prune: false)) == nil) }
        #expect(
            subject.result(of: .forceLeave("gone", prune: false))
                == .failure(.tooMany(limit: 2)))
        #expect(subject.result(of: .setTags([:])) == .failure(.tooMany(limit: 2)))
    }

    @Test("members that change alike in one call are told of together")
    func batches() {
        var subject = Subject()
        subject.exchange(
            Subject.emptyState,
            nodes: (1...3).map { Subject.record("m\($0)", $0) }, isJoin: true)
        let joined = subject.takeEvents().compactMap { event -> [String]? in
            if case .joined(let members) = event { members.map(\.name) } else { nil }
        }
        #expect(joined == [["m1", "m2", "m3"]])
    }

    @Test("time that goes back stands still")
    func timeGoesBack() {
        var subject = Subject()
        subject.pass(.seconds(10))
        subject.receive(.tick)
        let deadline = subject.serf.nextDeadline
        subject.now = Moment(nanoseconds: 5)
        subject.admit("m")
        #expect(subject.serf.member(named: "m")?.since == Moment(nanoseconds: 11_000_000_000))
        #expect(subject.serf.nextDeadline == deadline)
    }
}
