// SPDX-License-Identifier: Apache-2.0

import Bytes
import SerfCore
import SerfWire
import SwimCore
import Testing

/// Two and three nodes, and all that passes between them.
@Suite struct NetworkTests {
    private func payloads(_ outcome: Result<CommandOutcome, SerfError>?) -> [String: String]? {
        guard case .success(.answered(let result)) = outcome else { return nil }
        return Dictionary(
            uniqueKeysWithValues: result.responses.map {
                ($0.from, String(decoding: $0.payload, as: UTF8.self))
            })
    }

    @Test("nodes that join one of them all know each other, with their tags")
    func join() {
        let network = TestNetwork()
        network.add("a", tags: ["role": "x"])
        network.add("b", tags: ["role": "y"])
        network.add("c", tags: ["role": "z"])
        let first = network.join(1, to: [0])
        let second = network.join(2, to: [1])
        let isOne = network.run(within: .seconds(5)) { network in
            network.sites.allSatisfy { $0.serf.memberCount(of: .alive) == 3 }
        }
        #expect(isOne)
        #expect(network.sites[1].ended[first] == .success(.joined(count: 1, failures: [])))
        #expect(network.sites[2].ended[second] == .success(.joined(count: 1, failures: [])))
        for site in network.sites {
            #expect(site.serf.members.map(\.name) == ["a", "b", "c"])
            #expect(site.serf.members.map { $0.tags["role"] } == ["x", "y", "z"])
        }
    }

    @Test("new tags reach everybody")
    func tags() {
        let network = TestNetwork()
        network.gather(["a", "b", "c"])
        let id = network.command(.setTags(["v": "2"]), at: 1)
        let isKnown = network.run(within: .seconds(5)) { network in
            network.sites.allSatisfy { $0.serf.member(named: "b")?.tags == ["v": "2"] }
                && network.sites[1].ended[id] != nil
        }
        #expect(isKnown)
        #expect(network.sites[1].ended[id] == .success(.done))
    }

    @Test("an event reaches each node once")
    func event() {
        let network = TestNetwork()
        network.gather(["a", "b", "c"])
        for number in 0..<20 {
            network.command(
                .send(name: "e\(number)", payload: [UInt8(number)], mayCoalesce: false),
                at: number % 3)
        }
        network.run(for: .seconds(40))
        for site in 0..<3 {
            #expect(
                Set(network.userEvents(at: site)) == Set((0..<20).map { "e\($0)" }))
            #expect(network.userEvents(at: site).count == 20)
        }
        #expect(network.sites.allSatisfy { $0.serf.queueDepths.events == 0 })
    }

    @Test("a newcomer gets old events only if it wants them", arguments: [true, false])
    func replay(replays: Bool) {
        let network = TestNetwork()
        network.gather(["a", "b"])
        network.command(.send(name: "old", payload: [], mayCoalesce: false), at: 0)
        network.run(for: .seconds(5))
        let newcomer = network.add("c")
        network.join(newcomer, to: [0], replay: replays)
        network.run(for: .seconds(40))
        network.command(.send(name: "new", payload: [], mayCoalesce: false), at: 0)
        network.run(for: .seconds(5))
        #expect(network.userEvents(at: newcomer) == (replays ? ["old", "new"] : ["new"]))
    }

    @Test("a query is acknowledged and answered by all, the asker too")
    func query() {
        let network = TestNetwork()
        network.gather(["a", "b", "c"])
        let id = network.command(.query(QueryRequest(name: "q", wantsAcks: true)), at: 1)
        network.run(for: .seconds(4))
        #expect(payloads(network.sites[1].ended[id]) == ["a": "q!", "b": "q!", "c": "q!"])
        guard case .success(.answered(let result)) = network.sites[1].ended[id] else { return }
        #expect(Set(result.acks) == ["a", "b", "c"])
        #expect(network.sites[1].progress[id]?.count == 6)
    }

    @Test("a query with filters is answered by those who fit")
    func filters() {
        let network = TestNetwork()
        network.add("a", tags: ["role": "web-1"])
        network.add("b", tags: ["role": "web-2"])
        network.add("c", tags: ["role": "db"])
        network.join(1, to: [0])
        network.join(2, to: [0])
        network.run(for: .seconds(3))
        let byTag = network.command(
            .query(QueryRequest(name: "q", tags: ["role": "^web-[0-9]+$"])), at: 2)
        let byName = network.command(.query(QueryRequest(name: "q", nodes: ["b"])), at: 2)
        network.run(for: .seconds(4))
        #expect(payloads(network.sites[2].ended[byTag]) == ["a": "q!", "b": "q!"])
        #expect(payloads(network.sites[2].ended[byName]) == ["b": "q!"])
    }

    @Test("responses that do not come directly come over relays, and count once")
    func relays() {
        let network = TestNetwork()
        network.gather(["a", "b", "c"])
        network.run(for: .seconds(5))
        // What b sends to a is lost.
        network.isCut = { $0 == 1 && $1 == 0 }
        let plain = network.command(
            .query(QueryRequest(name: "q", wantsAcks: true, timeout: .seconds(2))), at: 0)
        let relayed = network.command(
            .query(
                QueryRequest(name: "q", wantsAcks: true, relayFactor: 2, timeout: .seconds(2))),
            at: 0)
        network.run(for: .seconds(2))
        #expect(payloads(network.sites[0].ended[plain]) == ["a": "q!", "c": "q!"])
        #expect(payloads(network.sites[0].ended[relayed]) == ["a": "q!", "b": "q!", "c": "q!"])
        guard case .success(.answered(let result)) = network.sites[0].ended[relayed] else { return }
        #expect(result.acks.count == 3)
    }

    @Test("the ping tells who can be reached, and no application hears of it")
    func reachability() {
        let network = TestNetwork()
        network.gather(["a", "b", "c"])
        let id = network.command(.query(.ping), at: 0)
        network.run(for: .seconds(4))
        guard case .success(.answered(let result)) = network.sites[0].ended[id] else {
            Issue.record("no end")
            return
        }
        #expect(Set(result.acks) == ["a", "b", "c"])
        #expect(result.responses.isEmpty)
        for site in network.sites {
            let queries = site.events.filter { if case .query = $0 { true } else { false } }
            #expect(queries.isEmpty)
        }
    }

    @Test("a node that leaves has left everywhere, and never failed")
    func leave() {
        let network = TestNetwork()
        network.gather(["a", "b", "c"])
        let id = network.command(.leave, at: 1)
        let hasLeft = network.run(within: .seconds(15)) { network in
            network.sites[1].ended[id] != nil && network.status(of: "b", at: 0) == .left
                && network.status(of: "b", at: 2) == .left
        }
        #expect(hasLeft)
        #expect(network.sites[1].ended[id] == .success(.done))
        #expect(network.sites[1].stops == [.left])
        network.run(for: .seconds(60))
        for site in [0, 2] {
            let failures = network.sites[site].events.filter {
                if case .failed = $0 { true } else { false }
            }
            #expect(failures.isEmpty)
            #expect(network.status(of: "b", at: site) == .left)
        }
    }

    @Test("a node that is killed has failed everywhere, and comes back when it joins again")
    func failure() {
        let network = TestNetwork()
        network.gather(["a", "b", "c"])
        network.kill(1)
        let hasFailed = network.run(within: .seconds(40)) { network in
            network.status(of: "b", at: 0) == .failed && network.status(of: "b", at: 2) == .failed
        }
        #expect(hasFailed)
        let restarted = network.add("b", at: 1)
        network.join(restarted, to: [0])
        let isBack = network.run(within: .seconds(20)) { network in
            network.status(of: "b", at: 0) == .alive && network.status(of: "b", at: 2) == .alive
        }
        #expect(isBack)
    }

    @Test("a node that restarts without joining is found by the others")
    func reconnect() {
        let network = TestNetwork()
        network.gather(["a", "b"])
        network.kill(1)
        network.run(for: .seconds(30))
        #expect(network.status(of: "b", at: 0) == .failed)
        let restarted = network.add("b", at: 1)
        let isBack = network.run(within: .seconds(60)) { network in
            network.status(of: "b", at: 0) == .alive
                && network.status(of: "a", at: restarted) == .alive
        }
        #expect(isBack)
    }

    @Test("a node that left can come back, alive, though all know it as left")
    func rejoin() {
        let network = TestNetwork()
        network.gather(["a", "b", "c"])
        network.command(.leave, at: 1)
        network.run(for: .seconds(15))
        let restarted = network.add("b", tags: ["life": "2"], at: 1)
        network.join(restarted, to: [0])
        let isBack = network.run(within: .seconds(20)) { network in
            [0, 2, restarted].allSatisfy {
                network.status(of: "b", at: $0) == .alive
                    && network.sites[$0].serf.member(named: "b")?.tags == ["life": "2"]
            }
        }
        #expect(isBack)
    }

    @Test("a member that left comes back at another address at once")
    func leftMoves() {
        let network = TestNetwork()
        network.gather(["a", "b", "c"])
        network.command(.leave, at: 1)
        network.run(for: .seconds(12))
        let moved = network.add("b", at: 20)
        network.join(moved, to: [0])
        let isThere = network.run(within: .seconds(5)) { network in
            [0, 2].allSatisfy { site in
                let member = network.sites[site].serf.member(named: "b")
                return member?.status == .alive
                    && member?.endpoint == network.sites[moved].endpoint
            }
        }
        #expect(isThere)
    }

    @Test("a member that failed comes back at another address once it is forgotten below")
    func failedMoves() {
        let network = TestNetwork()
        network.gather(["a", "b", "c"])
        network.kill(1)
        _ = network.run(within: .seconds(40)) { network in
            network.status(of: "b", at: 0) == .failed && network.status(of: "b", at: 2) == .failed
        }
        let tooEarly = network.add("b", at: 20) { $0.resolvesConflicts = false }
        network.join(tooEarly, to: [0])
        network.run(for: .seconds(2))
        #expect(network.status(of: "b", at: 0) == .failed)
        let isNoticed = network.sites[0].observations.contains {
            if case .nameConflict("b", _, _) = $0 { true } else { false }
        }
        #expect(isNoticed)
        network.kill(tooEarly)
        network.run(for: .seconds(60))
        let moved = network.add("b", at: 21)
        network.join(moved, to: [0])
        let isThere = network.run(within: .seconds(10)) { network in
            network.sites[0].serf.member(named: "b")?.endpoint == network.sites[moved].endpoint
                && network.status(of: "b", at: 0) == .alive
        }
        #expect(isThere)
    }

    @Test("a failed member is declared as left everywhere, or forgotten", arguments: [true, false])
    func forceLeave(prune: Bool) {
        let network = TestNetwork()
        network.gather(["a", "b", "c"])
        network.kill(1)
        _ = network.run(within: .seconds(40)) { network in
            network.status(of: "b", at: 0) == .failed && network.status(of: "b", at: 2) == .failed
        }
        network.command(.forceLeave("b", prune: prune), at: 0)
        network.run(for: .seconds(3))
        for site in [0, 2] { #expect(network.status(of: "b", at: site) == (prune ? nil : .left)) }
    }

    @Test("a living member that is forced to leave stays", arguments: [true, false])
    func forceLeaveLiving(prune: Bool) {
        let network = TestNetwork()
        network.gather(["a", "b", "c"])
        network.command(.forceLeave("b", prune: prune), at: 0)
        network.run(for: .seconds(10))
        for site in 0..<3 { #expect(network.status(of: "b", at: site) == .alive) }
    }

    @Test(
        "a member that is falsely said to leave contradicts, even if it was the last to hear of it")
    func contradicts() {
        let network = TestNetwork()
        network.gather(["a", "b", "c"])
        network.run(for: .seconds(5))
        // The claim, and all gossip, reaches everybody but the one that it is about.
        network.isCut = { _, to in to == 1 }
        network.command(.forceLeave("b", prune: false), at: 0)
        network.run(for: .seconds(2))
        network.isCut = { _, _ in false }
        #expect(network.status(of: "b", at: 0) == .leaving)
        #expect(network.status(of: "b", at: 2) == .leaving)
        let isBack = network.run(within: .seconds(40)) { network in
            network.status(of: "b", at: 0) == .alive && network.status(of: "b", at: 2) == .alive
        }
        #expect(isBack)
    }

    @Test("keys are rotated step by step, and every member answers")
    func rotation() throws {
        let (old, new) = ([UInt8](repeating: 1, count: 16), [UInt8](repeating: 2, count: 32))
        let network = TestNetwork()
        for name in ["a", "b", "c"] { network.add(name, keyring: try Keyring(keys: [old])) }
        network.join(1, to: [0])
        network.join(2, to: [0])
        network.run(for: .seconds(3))
        for command in [KeyCommand.install(new), .use(new), .remove(old)] {
            let id = network.command(.key(command), at: 1)
            let isOver = network.run(within: .seconds(4)) { $0.sites[1].ended[id] != nil }
            #expect(isOver)
            guard case .success(.keys(let report)) = network.sites[1].ended[id] else {
                Issue.record("\(command) has no report")
                return
            }
            #expect(report.isComplete, "\(command): \(report)")
            #expect(report.answers.count == 3)
        }
        for site in network.sites { #expect(site.keyring == (try Keyring(keys: [new]))) }
    }

    @Test("of two nodes of one name the newcomer stops, and the incumbent stays")
    func conflict() {
        let network = TestNetwork()
        network.gather(["a", "b", "c"])
        let impostor = network.add("b", at: 9)
        network.join(impostor, to: [0])
        network.run(for: .seconds(15))
        #expect(network.sites[1].stops.isEmpty)
        #expect(network.sites[impostor].serf.phase == .stopped)
        guard case .nameConflict(let agreeing, let answers)? = network.sites[impostor].stops.first
        else {
            Issue.record("the newcomer stays")
            return
        }
        #expect(agreeing < answers / 2 + 1)
        #expect(network.status(of: "b", at: 0) == .alive)
    }

    @Test("two clusters that do not agree on a tag stay apart")
    func foreign() {
        let network = TestNetwork()
        for (name, cluster) in [("a", "x"), ("b", "x"), ("c", "y")] {
            network.add(name, tags: ["cluster": cluster]) { $0.commonTags = ["cluster": cluster] }
        }
        network.join(1, to: [0])
        let wrong = network.join(2, to: [0])
        network.run(for: .seconds(40))
        guard case .failure(.joinFailed) = network.sites[2].ended[wrong] else {
            Issue.record("it joined: \(String(describing: network.sites[2].ended[wrong]))")
            return
        }
        #expect(network.sites[0].serf.members.map(\.name) == ["a", "b"])
        #expect(network.sites[2].serf.members.map(\.name) == ["c"])
    }

    @Test("nodes that exchange acks know how far they are apart")
    func coordinates() {
        let network = TestNetwork()
        network.gather(["a", "b", "c"])
        network.run(for: .seconds(60))
        let (own, other) = (
            network.sites[0].serf.coordinate, network.sites[0].serf.coordinate(of: "b")
        )
        let distance = other.flatMap { own.distance(to: $0) } ?? .zero
        // A packet takes a millisecond, there and back.
        #expect((.milliseconds(1)...(.milliseconds(4))).contains(distance), "\(distance)")
    }

    @Test("equal seeds and inputs give equal histories")
    func deterministic() {
        func history() -> [[SerfEvent]] {
            let network = TestNetwork()
            network.gather(["a", "b", "c"])
            network.command(.send(name: "e", payload: [1], mayCoalesce: true), at: 2)
            network.command(.query(QueryRequest(name: "q", relayFactor: 1)), at: 1)
            network.run(for: .seconds(60))
            return network.sites.map(\.events)
        }
        #expect(history() == history())
    }
}
