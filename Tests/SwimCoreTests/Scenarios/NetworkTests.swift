// SPDX-License-Identifier: Apache-2.0

import Bytes
import SerfWire
import Testing

@testable import SwimCore

/// Some lists that can reach each other: packets take a millisecond, streams five.
private struct Network {
    var subjects: [String: Subject] = [:]
    let names: [String]
    var now = Moment(nanoseconds: 0)
    /// Nodes that do not run.
    var stopped: Set<String> = []
    /// Packets from the first to the second are lost.
    var cut: Set<[String]> = []
    var streamsAreCut = false
    private var pending: [Delivery] = []
    private var streams: UInt64 = 0

    private struct Delivery {
        var at: Moment
        var to: String
        var content: Content
    }

    private enum Content {
        case packet([UInt8], from: String)
        case request([UInt8], StreamID, from: String, stream: StreamID)
        case answer([UInt8], StreamID)
        case failure(StreamID)
    }

    init(_ names: [String], settings: SwimSettings = .plain, seed: UInt64 = 1) {
        self.names = names
        for (place, name) in names.enumerated() {
            subjects[name] = Subject(name, settings: settings, seed: seed + UInt64(place) * 1000)
        }
    }

    subscript(name: String) -> Subject {
        get { subjects[name] ?? Subject(name) }
        set { subjects[name] = newValue }
    }

    /// Begins anew, with nothing remembered.
    mutating func restart(_ name: String, settings: SwimSettings = .plain) {
        stopped.remove(name)
        var subject = Subject(name, settings: settings, seed: 77, isStarted: false)
        subject.now = now
        let effects = subject.perform { $0.start(at: $1, delegate: &$2, into: &$3) }
        self[name] = subject
        carry(out: effects, of: name)
    }

    mutating func join(_ name: String, to seed: String) {
        call(name) { list, now, delegate, effects in
            list.pushPull(
                with: endpoint(of: seed), isJoin: true, at: now, delegate: &delegate,
                into: &effects)
        }
    }

    mutating func call(
        _ name: String,
        _ body: (inout Memberlist, Moment, inout Recorder, inout [SwimEffect]) -> Void
    ) {
        self[name].now = now
        let effects = self[name].perform(body)
        carry(out: effects, of: name)
    }

    /// Runs until something holds, and says when; not longer than a limit.
    mutating func run(
        _ limit: Duration, until isDone: (Network) -> Bool = { _ in false }
    ) -> Duration? {
        let (start, end) = (now, now + limit)
        while true {
            if isDone(self) { return now.duration(since: start) }
            guard let next = nextMoment, next <= end else { break }
            now = max(now, next)
            step()
        }
        now = end
        return nil
    }

    private var nextMoment: Moment? {
        let deadlines = names.filter { !stopped.contains($0) }
            .compactMap { self[$0].list.nextDeadline }
        return (deadlines + pending.map(\.at)).min()
    }

    private mutating func step() {
        if let place = pending.indices.min(by: { pending[$0].at < pending[$1].at }),
            pending[place].at <= now
        {
            deliver(pending.remove(at: place))
            return
        }
        for name in names where !stopped.contains(name) {
            guard let deadline = self[name].list.nextDeadline, deadline <= now else { continue }
            call(name) { $0.tick(at: $1, delegate: &$2, into: &$3) }
            return
        }
    }

    private mutating func deliver(_ delivery: Delivery) {
        guard !stopped.contains(delivery.to) else {
            if case .request(_, let stream, let from, _) = delivery.content {
                send(.failure(stream), to: from, after: .milliseconds(5))
            }
            return
        }
        switch delivery.content {
        case .packet(let packet, let from):
            call(delivery.to) {
                $0.receive(
                    packet: packet, from: endpoint(of: from), at: $1, delegate: &$2, into: &$3)
            }
        case .request(let body, let opened, let from, let accepted):
            self[delivery.to].now = now
            let effects = self[delivery.to].perform {
                $0.receive(
                    request: body, on: accepted, from: endpoint(of: from), at: $1, delegate: &$2,
                    into: &$3)
            }
            for case .reply(_, let answer) in effects {
                send(.answer(answer, opened), to: from, after: .milliseconds(5))
            }
            for case .close in effects {
                send(.failure(opened), to: from, after: .milliseconds(5))
            }
            carry(out: effects, of: delivery.to)
        case .answer(let body, let stream):
            call(delivery.to) {
                $0.receive(answer: body, on: stream, at: $1, delegate: &$2, into: &$3)
            }
        case .failure(let stream):
            call(delivery.to) {
                $0.streamFailed(stream, reason: .closed, at: $1, delegate: &$2, into: &$3)
            }
        }
    }

    private mutating func send(_ content: Content, to name: String, after delay: Duration) {
        pending.append(Delivery(at: now + delay, to: name, content: content))
    }

    private mutating func carry(out effects: [SwimEffect], of name: String) {
        for effect in effects {
            switch effect {
            case .send(let packet, let target):
                guard let to = names.first(where: { endpoint(of: $0) == target }),
                    !cut.contains([name, to])
                else { continue }
                send(.packet(packet, from: name), to: to, after: .milliseconds(1))
            case .open(let stream, let target, let request, _):
                guard let to = names.first(where: { endpoint(of: $0) == target }), !streamsAreCut
                else {
                    send(.failure(stream), to: name, after: .milliseconds(5))
                    continue
                }
                streams += 2
                send(
                    .request(request, stream, from: name, stream: StreamID(rawValue: streams)),
                    to: to, after: .milliseconds(5))
            case .reply, .close, .observe: break
            }
        }
    }

    /// Whether each running node sees the states of a table, and nobody else.
    func all(see states: [String: Liveness]) -> Bool {
        names.filter { !stopped.contains($0) }.allSatisfy { name in
            let nodes = self[name].list.nodes
            return nodes.count == states.count
                && nodes.allSatisfy { states[$0.name] == $0.state }
        }
    }
}

@Suite("A small cluster")
struct NetworkTests {
    private let three: [String: Liveness] = ["a": .alive, "b": .alive, "c": .alive]

    private func cluster(settings: SwimSettings = .plain, seed: UInt64 = 1) -> Network {
        var network = Network(["a", "b", "c"], settings: settings, seed: seed)
        network.join("b", to: "a")
        network.join("c", to: "a")
        _ = network.run(.seconds(5)) { $0.all(see: ["a": .alive, "b": .alive, "c": .alive]) }
        return network
    }

    @Test("finds together by one seed, and stays so", arguments: [1, 2, 3] as [UInt64])
    func converges(seed: UInt64) {
        var network = Network(["a", "b", "c"], seed: seed)
        network.join("b", to: "a")
        network.join("c", to: "a")
        let states = three
        let time = network.run(.seconds(5)) { $0.all(see: states) }
        #expect(time.map { $0 < .seconds(1) } == true)
        _ = network.run(.seconds(120))
        #expect(network.all(see: three))
        for name in network.names {
            #expect(network[name].list.healthScore == 0)
            #expect(network[name].list.localNode.incarnation == 1)
            #expect(network[name].list.queuedBroadcasts == 0)
        }
    }

    @Test("has the same history for the same seeds")
    func replay() {
        func history(_ seed: UInt64) -> [SwimCounters] {
            var network = cluster(seed: seed)
            network.stopped = ["b"]
            _ = network.run(.seconds(60))
            return ["a", "c"].map { network[$0].list.counters }
        }
        #expect(history(5) == history(5))
        #expect(history(5) != history(6))
    }

    @Test("sees a node fail that stops, in the time that suspicion takes")
    func failure() {
        var network = cluster()
        network.stopped = ["c"]
        let time = network.run(.seconds(30)) {
            $0.all(see: ["a": .alive, "b": .alive, "c": .dead])
        }
        // At most two beats and a failed probe (longer for who doubts itself), then 4 s.
        #expect(time.map { $0 > .seconds(4) && $0 < .seconds(12) } == true, "\(time as Any)")
        let forgotten = network.run(.seconds(60)) { $0.all(see: ["a": .alive, "b": .alive]) }
        #expect(forgotten.map { $0 > .seconds(28) } == true)
    }

    @Test("sees a node leave as left, not as dead")
    func leave() {
        var network = cluster()
        network.call("b") { list, now, delegate, _ in list.leave(at: now, delegate: &delegate) }
        let time = network.run(.seconds(2)) {
            $0.all(see: ["a": .alive, "b": .left, "c": .alive])
        }
        #expect(time != nil)
        network.stopped = ["b"]
        _ = network.run(.seconds(20))
        #expect(network["a"].delegate.calls.contains(.left("b", .left)))
        #expect(!network["a"].delegate.calls.contains(.left("b", .dead)))
    }

    @Test("takes a node back that restarts, with another incarnation than before")
    func restart() {
        for (wasNoticed, leaves) in [(true, false), (false, false), (false, true)] {
            var network = cluster()
            if leaves {
                network.call("c") { list, now, delegate, _ in
                    list.leave(at: now, delegate: &delegate)
                }
                _ = network.run(.seconds(2))
            }
            network.stopped = ["c"]
            _ = network.run(wasNoticed ? .seconds(20) : .milliseconds(100))
            network.restart("c")
            network.join("c", to: "a")
            let states = three
            #expect(network.run(.seconds(10)) { $0.all(see: states) } != nil)
            _ = network.run(.seconds(20))
            #expect(network.all(see: three))
            #expect(network["a"].incarnation(of: "c") == network["c"].list.localNode.incarnation)
        }
    }

    @Test("keeps a node alive that only a helper reaches")
    func helper() {
        var network = cluster()
        network.streamsAreCut = true
        network.cut = [["a", "b"], ["b", "a"]]
        _ = network.run(.seconds(60))
        #expect(network.all(see: three))
        #expect(!network["a"].delegate.calls.contains(.left("b", .dead)))
    }

    @Test("keeps a node alive that only streams reach")
    func streams() {
        var network = Network(["a", "b"])
        network.join("b", to: "a")
        _ = network.run(.seconds(2))
        network.cut = [["a", "b"], ["b", "a"]]
        _ = network.run(.seconds(60))
        #expect(network.all(see: ["a": .alive, "b": .alive]))
    }

    @Test("sees two sides as dead while it is cut, and is whole again when they hear each other")
    func partition() {
        var network = cluster()
        network.streamsAreCut = true
        network.cut = [["a", "c"], ["c", "a"], ["b", "c"], ["c", "b"]]
        let apart = network.run(.seconds(40)) { network in
            network["a"].state(of: "c") == .dead && network["b"].state(of: "c") == .dead
                && network["c"].state(of: "a") == .dead && network["c"].state(of: "b") == .dead
        }
        #expect(apart != nil)
        network.cut = []
        network.streamsAreCut = false
        // What is said to the dead lets them refute.
        network.call("a") { list, now, delegate, _ in
            list.update(meta: [1], at: now, delegate: &delegate)
        }
        network.join("a", to: "c")
        let states = three
        #expect(network.run(.seconds(10)) { $0.all(see: states) } != nil)
    }

    @Test("has a paused node back by its refutation, with the next incarnation")
    func paused() {
        var network = cluster()
        network.stopped = ["c"]
        _ = network.run(.seconds(40)) { $0["a"].state(of: "c") == .suspect }
        network.stopped = []
        let states = three
        #expect(network.run(.seconds(10)) { $0.all(see: states) } != nil)
        #expect(network["c"].list.localNode.incarnation > 1)
        #expect(!network["a"].delegate.calls.contains(.left("c", .dead)))
    }

    @Test("brings new meta to everybody within a second")
    func update() {
        var network = cluster()
        network.call("b") { list, now, delegate, _ in
            list.update(meta: [9], at: now, delegate: &delegate)
        }
        let time = network.run(.seconds(1)) { network in
            ["a", "c"].allSatisfy { network[$0].list.node(named: "b")?.meta == [9] }
        }
        #expect(time != nil)
        #expect(network["a"].delegate.calls.last == .updated("b", [9]))
    }
}
