// SPDX-License-Identifier: Apache-2.0

internal import Positions
internal import RaftCore

/// Carries out the commands of a story, on replicas whose disks and network obey the story alone.
struct ScenarioRunner {
    var nodes: [ScenarioNode] = []
    /// Messages on their way, oldest first, with the names of their entries.
    var network: [(message: Message, names: [String])] = []
    /// Pairs of replicas whose messages are lost, in this direction.
    var cuts: [(from: UInt64, to: UInt64)] = []
    var settings = RaftSettings()
    /// What was committed: term and name by index.
    var committed: [(term: Term, name: String)] = []
    var leaders: [(term: Term, id: ReplicaID)] = []
    var violations: [String] = []
    /// What the command under way has brought.
    var output: [String] = []
    let bug: PlantedBug?
    private var starts: UInt64 = 0
    var noOps = 0

    init(bug: PlantedBug?) {
        self.bug = bug
    }

    /// Carries one command out, and says what came of it.
    mutating func perform(_ words: [String]) -> [String] {
        output = []
        carryOut(words[0], Array(words.dropFirst()))
        for node in nodes where node.isRunning { node.raft.checkInvariants() }
        return output
    }

    mutating func violate(_ text: String) {
        violations.append(text)
        output.append("VIOLATION " + text)
    }

    // MARK: Replicas

    func number(of id: UInt64) -> Int? { nodes.firstIndex { $0.raft.id.node == id } }

    /// Starts a replica from what its disk has.
    mutating func start(_ number: Int) {
        starts += 1
        let old = nodes[number]
        nodes[number].raft = Raft(
            id: old.raft.id, settings: old.raft.settings, start: old.found,
            seed: starts &* 7919 &+ old.raft.id.node)
        nodes[number].isRunning = true
        nodes[number].epoch = 0
        nodes[number].synced = old.last
    }

    mutating func add(_ id: UInt64, members: Configuration) {
        starts += 1
        var settings = settings
        #if PLANTED_BUGS
            settings.bug = bug
        #endif
        var start = RaftStart()
        start.configuration = members
        nodes.append(
            ScenarioNode(
                raft: Raft(
                    id: ReplicaID(node: id), settings: settings, start: start,
                    seed: starts &* 7919 &+ id), members: members))
    }

    // MARK: Inputs

    /// Hands an input to a replica and does what it wants.
    mutating func give(_ input: Input, to number: Int, names: [String] = []) {
        guard nodes[number].isRunning else { return }
        var effects: [Effect] = []
        nodes[number].raft.receive(input, into: &effects)
        var next: [Input] = []
        for effect in effects { perform(effect, of: number, names, &next) }
        for input in next { give(input, to: number) }
    }

    private mutating func perform(
        _ effect: Effect, of number: Int, _ names: [String], _ next: inout [Input]
    ) {
        let id = nodes[number].raft.id
        switch effect {
        case .saveHardState(let state, let version):
            nodes[number].unsaved.append((state, version))
            output.append(
                "\(id) writes term \(state.term)" + (state.vote.map { ", vote \($0)" } ?? ""))
        case .append(let request): append(request, to: number, names, &next)
        case .send(let message): send(message, from: number)
        case .sendStored(let request): sendStored(request, from: number, &next)
        case .commit(let index): commit(index, of: number)
        case .roleChanged(let report): changeRole(report, of: number)
        case .membersChanged(let members): output.append("\(id) has members \(members)")
        case .readReady(let read, let index):
            output.append("\(id) answers read \(read.rawValue) with \(index)")
        case .readFailed(let read): output.append("\(id) cannot answer read \(read.rawValue)")
        case .changeEnded(let refusal):
            output.append("\(id) change " + (refusal.map { "refused: \($0)" } ?? "done"))
        case .transferEnded: output.append("\(id) transfer over")
        case .installSnapshot(let snapshot, _):
            nodes[number].installing = snapshot
            output.append("\(id) is to begin behind \(snapshot.lastIndex)")
        case .repair, .observed: break
        }
    }

    private mutating func append(
        _ request: AppendRequest, to number: Int, _ names: [String], _ next: inout [Input]
    ) {
        let id = nodes[number].raft.id
        if request.truncates {
            nodes[number].truncate(after: request.first.previous)
            output.append("\(id) cuts its log at \(request.first)")
        }
        nodes[number].epoch = request.epoch
        guard !nodes[number].isFull else {
            nodes[number].isFull = false
            output.append("\(id) has no room for \(request.first)")
            next.append(.entriesRefused(last: nodes[number].last))
            return
        }
        for (step, info) in request.entries.enumerated() {
            var name = "noop"
            if let skipped = request.skippedOfMessage { name = names[skipped + step] }
            if info.configuration != nil { name = "members" }
            nodes[number].entries.append(ScenarioNode.Entry(info: info, name: name))
        }
        output.append(
            "\(id) writes \(request.first)"
                + (request.last > request.first ? "…\(request.last)" : ""))
    }

    // MARK: Messages

    private mutating func send(_ message: Message, from number: Int) {
        var names: [String] = []
        if case .append(let append) = message.body {
            var index = append.previousIndex
            for _ in append.entries {
                index = index.next
                guard let entry = nodes[number][index] else { return }
                names.append(entry.name)
            }
        }
        network.append((message, names))
        output.append(text(of: message))
    }

    private mutating func sendStored(
        _ request: StoredRequest, from number: Int, _ next: inout [Input]
    ) {
        guard let envelope = request.append else { return }
        var infos: [EntryInfo] = []
        var index = request.first
        while index <= request.last, let entry = nodes[number][index] {
            infos.append(entry.info)
            index = index.next
        }
        if !infos.isEmpty {
            send(
                Message(
                    from: nodes[number].raft.id, to: request.to, term: request.term,
                    body: .append(
                        Append(
                            previousIndex: request.first.previous,
                            previousTerm: envelope.previousTerm, entries: infos,
                            commit: envelope.commit))), from: number)
        }
        next.append(
            .storedSent(
                to: request.to, first: request.first, last: index.previous, term: request.term))
    }

    /// Hands a message over, unless its way is cut or its receiver is not there.
    mutating func deliver(_ place: Int) {
        let (message, names) = network.remove(at: place)
        guard !isCut(message), let number = number(of: message.to.node), nodes[number].isRunning
        else {
            output.append("lost: \(text(of: message))")
            return
        }
        give(.message(message), to: number, names: names)
    }

    func isCut(_ message: Message) -> Bool {
        cuts.contains { $0.from == message.from.node && $0.to == message.to.node }
    }

    // MARK: What must hold

    private mutating func commit(_ index: LogIndex, of number: Int) {
        let node = nodes[number]
        output.append("\(node.raft.id) commits \(index)")
        var place = node.start
        while place < index {
            place = place.next
            guard let entry = node[place] else {
                return violate("\(node.raft.id) has committed \(place) and has it not")
            }
            let position = Int(place.rawValue) - 1
            if position < committed.count {
                let known = committed[position]
                if known.term != entry.info.term || known.name != entry.name {
                    violate(
                        "\(place) was committed as \(known.term):\(known.name), and "
                            + "\(node.raft.id) has \(entry.info.term):\(entry.name)")
                }
            } else if position == committed.count {
                committed.append((entry.info.term, entry.name))
                checkDurable(place, entry)
            }
        }
    }

    /// What is committed is on the disks of a majority.
    private mutating func checkDurable(_ index: LogIndex, _ entry: ScenarioNode.Entry) {
        let voters = nodes.filter { $0.raft.configuration.isVoter($0.raft.id) }
        let holders = voters.count { node in
            index <= node.start || (index <= node.synced && node[index] == entry)
        }
        if holders * 2 <= voters.count {
            violate("\(index) is committed and durable on \(holders) of \(voters.count)")
        }
    }

    private mutating func changeRole(_ report: RoleReport, of number: Int) {
        let id = nodes[number].raft.id
        switch report.role {
        case .leader:
            output.append("\(id) leads term \(report.term)")
            if let other = leaders.first(where: { $0.term == report.term }), other.id != id {
                violate("\(other.id) and \(id) both lead term \(report.term)")
            }
            leaders.append((report.term, id))
        case .follower:
            output.append(
                "\(id) follows \(report.leader.map(\.description) ?? "nobody") "
                    + "in term \(report.term)")
        case .candidate: output.append("\(id) campaigns in term \(report.term)")
        case .preCandidate: output.append("\(id) asks around in term \(report.term)")
        }
    }
}
