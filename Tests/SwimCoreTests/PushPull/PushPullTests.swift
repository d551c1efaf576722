// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

@testable import SwimCore

@Suite("A push/pull")
struct PushPullTests {
    private func begin(
        _ subject: inout Subject, with name: String = "seed", isJoin: Bool = true
    ) -> (stream: StreamID, effects: [SwimEffect]) {
        var stream = StreamID(rawValue: 0)
        let effects = subject.perform { list, now, delegate, effects in
            stream = list.pushPull(
                with: endpoint(of: name), isJoin: isJoin, at: now, delegate: &delegate,
                into: &effects)
        }
        return (stream, effects)
    }

    private func state(
        _ nodes: NodeState..., isJoin: Bool = true, user: [UInt8] = []
    ) -> SwimMessage {
        .pushPull(PushPull(isJoin: isJoin, nodes: nodes, userState: user))
    }

    private func isOutcome(_ outcomes: [PushPullOutcome], _ reason: JoinFailure.Reason?) -> Bool {
        outcomes.count == 1 && outcomes[0].failure?.reason == reason
    }

    // MARK: we begin

    @Test("sends all that we know, and the layer's state")
    func request() throws {
        var subject = Subject(settings: .quiet)
        subject.know("a", "gone", "away")
        subject.receive(dead("gone"), dead("away", from: "away"), suspect("a", 1))
        subject.delegate.state = [1, 2, 3]
        let (stream, effects) = begin(&subject)
        let open = try #require(effects.opened.first)
        #expect(open.stream == stream)
        #expect(open.to == endpoint(of: "seed"))
        #expect(open.timeout == .seconds(10))
        guard case .pushPull(let sent)? = open.request else {
            Issue.record("no push/pull: \(effects)")
            return
        }
        #expect(sent.isJoin)
        #expect(sent.userState == [1, 2, 3])
        #expect(
            sent.nodes.sorted { $0.name < $1.name } == [
                record("a", 1, .suspect), record("away", 1, .left), record("gone", 1, .dead),
                record("me", 1, .alive),
            ])
    }

    @Test(
        "merges the answer: the living join, the suspect and dead are suspects, strangers only if alive"
    )
    func merge() {
        var subject = Subject(settings: .quiet)
        subject.know("s", "d", "l")
        let (stream, _) = begin(&subject)
        subject.receive(
            answer: state(
                record("seed"), record("s", 1, .suspect), record("d", 1, .dead),
                record("l", 1, .left), record("x", 1, .dead), record("y", 1, .left),
                record("z", 1, .suspect), user: [9]),
            on: stream)
        #expect(subject.state(of: "seed") == .alive)
        #expect(subject.state(of: "s") == .suspect)
        #expect(subject.state(of: "d") == .suspect, "it may still refute")
        #expect(subject.list.table["d"]?.suspicion?.suspecters == ["me"])
        #expect(subject.state(of: "l") == .left)
        for stranger in ["x", "y", "z"] { #expect(subject.state(of: stranger) == nil) }
        #expect(
            subject.delegate.calls == [
                .joined("seed"), .left("l", .left), .merged([9], isJoin: true),
            ])
        #expect(
            subject.list.takePushPullOutcomes() == [
                PushPullOutcome(stream: stream, endpoint: endpoint(of: "seed"), failure: nil)
            ])
        #expect(subject.list.takePushPullOutcomes() == [])
    }

    @Test("brings back our own record of an earlier life, and we refute above it")
    func restart() {
        for old in [
            record("me", 7, .alive), record("me", 7, .suspect), record("me", 7, .dead),
            record("me", 7, .left), record("me", 7, .alive, meta: [1]),
        ] {
            var subject = Subject(settings: .quiet)
            let (stream, _) = begin(&subject)
            subject.receive(answer: state(record("seed"), old), on: stream)
            #expect(subject.list.localNode.incarnation == 8)
            #expect(subject.list.localNode.state == .alive)
        }
    }

    @Test("without a state of the layer does not bother the layer")
    func noUserState() {
        var subject = Subject(settings: .quiet)
        let (stream, _) = begin(&subject)
        subject.receive(answer: state(record("me")), on: stream)
        #expect(subject.delegate.calls == [.joined("me")])
        #expect(isOutcome(subject.list.takePushPullOutcomes(), nil))
    }

    @Test("fails if the stream fails, with its reason")
    func streamFails() {
        for reason in [StreamFailure.unreachable("no route"), .timedOut, .closed] {
            var subject = Subject(settings: .quiet)
            let (stream, _) = begin(&subject)
            let effects = subject.fail(stream, reason)
            let failure = JoinFailure(endpoint: endpoint(of: "seed"), reason: .stream(reason))
            #expect(effects.observations == [.pushPullFailed(failure)])
            #expect(isOutcome(subject.list.takePushPullOutcomes(), .stream(reason)))
            #expect(subject.fail(stream, reason) == [], "once only")
            #expect(subject.receive(answer: state(record("a")), on: stream) == [])
            #expect(subject.state(of: "a") == nil)
        }
    }

    @Test("fails if the answer is an error, another message or none that can be read")
    func badAnswers() {
        var subject = Subject(settings: .quiet)
        var stream = begin(&subject).stream
        subject.receive(answer: .error("encrypted"), on: stream)
        #expect(isOutcome(subject.list.takePushPullOutcomes(), .stream(.refused("encrypted"))))
        stream = begin(&subject).stream
        subject.receive(answer: .ack(Ack(sequence: 1, payload: [])), on: stream)
        #expect(isOutcome(subject.list.takePushPullOutcomes(), .unexpectedAnswer))
        stream = begin(&subject).stream
        subject.receive(answerBytes: [], on: stream)
        guard
            case .stream(.malformed)? = subject.list.takePushPullOutcomes().first?.failure?.reason
        else {
            Issue.record("an empty answer is no join")
            return
        }
    }

    @Test("fails if the layer above refuses what came, and merges nothing of it")
    func refusedMerge() {
        var subject = Subject(settings: .quiet)
        subject.delegate.refusesMerges = true
        let (stream, _) = begin(&subject)
        subject.receive(answer: state(record("a"), user: [1]), on: stream)
        #expect(isOutcome(subject.list.takePushPullOutcomes(), .refused("not wanted")))
        #expect(subject.list.nodeCount == 1)
        #expect(subject.delegate.calls == [.joined("me")])
    }

    @Test("leaves out a record that the layer above refuses, and merges the others")
    func refusedRecord() {
        var subject = Subject(settings: .quiet)
        subject.delegate.refusedMeta = [6]
        let (stream, _) = begin(&subject)
        subject.receive(answer: state(record("a", meta: [6]), record("b")), on: stream)
        #expect(subject.state(of: "a") == nil)
        #expect(subject.state(of: "b") == .alive)
        #expect(isOutcome(subject.list.takePushPullOutcomes(), nil))
    }

    @Test("leaves out and counts records that cannot be read")
    func unreadableRecord() {
        var subject = Subject(settings: .quiet)
        let effects = subject.receive(request: state(record(""), record("b")))
        #expect(subject.list.nodes.map(\.name) == ["b", "me"])
        #expect(subject.list.counters.unreadable == 1)
        #expect(
            effects.observations == [
                .malformed(
                    from: endpoint(of: "other"), .malformed("1 records of a push/pull"))
            ])
    }

    @Test("is refused if versions have nothing in common, whoever brings them")
    func versions() {
        var other = Versions.current
        (other.serfMin, other.serfMax, other.serfCurrent) = (7, 7, 7)
        var subject = Subject(settings: .quiet)
        let (stream, _) = begin(&subject)
        subject.receive(answer: state(record("a", versions: other)), on: stream)
        guard case .refused? = subject.list.takePushPullOutcomes().first?.failure?.reason else {
            Issue.record("not refused")
            return
        }
        #expect(subject.state(of: "a") == nil)
    }

    @Test("is refused for a node of ours, too, that does not speak what is common")
    func ownVersions() {
        var other = Versions.current
        other.swimCurrent = 6
        var subject = Subject(settings: .quiet)
        subject.know("odd", versions: other)
        subject.receive(dead("odd"))
        let (stream, _) = begin(&subject)
        subject.receive(answer: state(record("a")), on: stream)
        let reason = "odd speaks protocol 6 of memberlist, where 1 to 5 is common"
        #expect(isOutcome(subject.list.takePushPullOutcomes(), .refused(reason)))
    }

    @Test("is bound by the versions of the living only")
    func versionsOfTheDead() {
        var other = Versions.current
        (other.swimMin, other.swimMax, other.swimCurrent) = (4, 4, 4)
        for (liveness, isMerged) in [(Liveness.dead, true), (.alive, false)] {
            var subject = Subject(settings: .quiet)
            let (stream, _) = begin(&subject)
            subject.receive(
                answer: state(record("a"), record("odd", 1, liveness, versions: other)), on: stream)
            #expect((subject.state(of: "a") == .alive) == isMerged)
        }
    }

    @Test("goes to each address that is asked for, whatever becomes of the others")
    func manySeeds() {
        var subject = Subject(settings: .quiet)
        let streams = ["s1", "s2", "s3"].map { begin(&subject, with: $0).stream }
        #expect(Set(streams).count == 3)
        #expect(streams.allSatisfy { $0.rawValue % 2 == 1 })
        subject.fail(streams[0], .timedOut)
        subject.receive(answer: state(record("s2")), on: streams[1])
        subject.receive(answer: state(record("s3")), on: streams[2])
        #expect(
            subject.list.takePushPullOutcomes().map { $0.failure == nil } == [false, true, true])
    }

    @Test("is refused at once when too many are on their way")
    func bounded() {
        var settings = SwimSettings.quiet
        settings.exchangesMax = 2
        var subject = Subject(settings: settings)
        let streams = (0..<3).map { begin(&subject, with: "s\($0)").stream }
        #expect(isOutcome(subject.list.takePushPullOutcomes(), .tooManyExchanges))
        subject.fail(streams[0], .timedOut)
        #expect(!begin(&subject).effects.opened.isEmpty)
    }

    // MARK: others begin

    @Test("of another one is answered with all that we knew before, then merged")
    func accept() {
        var subject = Subject(settings: .quiet)
        subject.know("a")
        subject.delegate.state = [4]
        let effects = subject.receive(request: state(record("b"), isJoin: true, user: [5]))
        guard case .pushPull(let reply)? = effects.replies.first else {
            Issue.record("no reply: \(effects)")
            return
        }
        #expect(reply.isJoin)
        #expect(reply.userState == [4])
        #expect(reply.nodes.map(\.name).sorted() == ["a", "me"])
        #expect(subject.delegate.calls == [.joined("b"), .merged([5], isJoin: true)])
        let again = subject.receive(request: state(record("b"), isJoin: false), on: 4)
        guard case .pushPull(let second)? = again.replies.first else { return }
        #expect(!second.isJoin)
    }

    @Test("of another one that we refuse is answered all the same, and not merged")
    func acceptRefused() {
        var subject = Subject(settings: .quiet)
        subject.delegate.refusesMerges = true
        let effects = subject.receive(request: state(record("b")))
        #expect(effects.replies.count == 1)
        let failure = JoinFailure(
            endpoint: endpoint(of: "other"), reason: .refused("not wanted"))
        #expect(effects.observations == [.pushPullFailed(failure)])
        #expect(subject.state(of: "b") == nil)
    }

    @Test("stream with a user message brings it to the layer above and is closed")
    func userMessage() {
        var subject = Subject(settings: .quiet)
        let effects = subject.receive(request: .user([1, 2]))
        #expect(effects == [.close(StreamID(rawValue: 2))])
        #expect(subject.delegate.calls.last == .received([1, 2]))
    }

    @Test("stream with anything else is closed without a word, but for broken compression")
    func badRequests() {
        var subject = Subject(settings: .quiet)
        for body in [[], [6], [99, 1], [4] + alive("a").bytes, [6, 0xff, 0xff]] {
            let effects = subject.receive(requestBytes: body)
            #expect(effects.contains(.close(StreamID(rawValue: 2))))
            #expect(effects.replies == [])
        }
        #expect(subject.list.nodeCount == 1)
        let effects = subject.receive(requestBytes: [9, 1, 2, 3], on: 4)
        guard case .error? = effects.replies.first else {
            Issue.record("bad compression is answered by an error")
            return
        }
    }

    // MARK: the beat

    @Test("comes by itself with a random living node, and reports no outcome")
    func periodic() throws {
        var settings = SwimSettings.plain
        settings.pushPullInterval = .seconds(2)
        var subject = Subject(settings: settings)
        subject.know("a", "away")
        subject.receive(dead("away", from: "away"))
        let effects = subject.pass { effect in
            guard case .open(_, _, let request, _) = effect else { return false }
            return request.first == 6
        }
        let open = try #require(effects.opened.first)
        #expect(open.to == endpoint(of: "a"))
        guard case .pushPull(let sent)? = open.request else { return }
        #expect(!sent.isJoin)
        subject.fail(open.stream, .timedOut)
        #expect(subject.list.takePushPullOutcomes() == [])
    }

    @Test(
        "comes more rarely in a larger cluster",
        arguments: [
            (1, 30), (32, 30), (33, 60), (64, 60), (65, 90), (128, 90), (129, 120), (1000, 180),
        ])
    func interval(nodes: Int, seconds: Int) {
        var subject = Subject(isStarted: false)
        for number in 1..<1000 where number < nodes {
            subject.list.apply(
                alive: alive("n\(number)"), delegate: &subject.delegate, into: &subject.ignored)
        }
        #expect(subject.list.nodeCount == nodes)
        #expect(subject.list.pushPullIntervalScaled == .seconds(seconds))
    }

    @Test("does not come by itself if its interval is zero")
    func switchedOff() {
        var subject = Subject(settings: .quiet)
        subject.know("a")
        for open in subject.pass(.seconds(120)).opened {
            guard case .ping? = open.request else {
                Issue.record("an exchange: \(open)")
                return
            }
        }
    }
}

extension Alive {
    fileprivate var bytes: [UInt8] { Array(SwimMessage.alive(self).encoded().dropFirst()) }
}
