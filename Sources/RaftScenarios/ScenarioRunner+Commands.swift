// SPDX-License-Identifier: Apache-2.0

internal import Positions
internal import RaftCore

// The words of the language. `N` is a replica's number, `I` an index.
extension ScenarioRunner {
    mutating func carryOut(_ word: String, _ rest: [String]) {
        switch word {
        case "nodes": begin(rest)
        case "log": giveLog(rest)
        case "campaign": input(.campaign, rest)
        case "tick":
            for _ in 0..<max(1, Int(rest.dropFirst().first ?? "") ?? 1) { input(.tick, rest) }
        case "propose": propose(rest)
        case "read":
            input(.read(ReadID(UInt64(rest.dropFirst().first ?? "") ?? 0)), rest)
        case "transfer": input(.transfer(to: ReplicaID(node: id(rest, 1))), rest)
        case "members": changeMembers(rest)
        case "lost": input(.nodeLost(id(rest, 1)), rest)
        case "deliver", "drop": move(rest, isLost: word == "drop")
        case "repeat": duplicate(rest)
        case "cut": cuts.append((id(rest, 0), id(rest, 1)))
        case "isolate": isolate(id(rest, 0))
        case "heal": cuts = []
        case "settle": settle()
        case "save": save(rest)
        case "store":
            beginSync(rest)
            endSync(rest)
        case "begin-sync": beginSync(rest)
        case "end-sync": endSync(rest)
        case "full": withNode(rest) { $0.isFull = true }
        case "fail": input(.storageFailed, rest)
        case "install": install(rest)
        case "retain": retain(rest)
        case "power-cut", "kill": stop(rest, losesUnsynced: word == "power-cut")
        case "start": withNumber(rest) { $0.start($1) }
        case "show": show()
        case "network": for (message, _) in network { output.append(text(of: message)) }
        default: violate("there is no command \(word)")
        }
    }

    private func id(_ words: [String], _ place: Int) -> UInt64 {
        words.indices.contains(place) ? UInt64(words[place]) ?? 0 : 0
    }

    private mutating func withNumber(
        _ words: [String], _ body: (inout ScenarioRunner, Int) -> Void
    ) {
        guard let number = number(of: id(words, 0)) else {
            return violate("there is no replica \(words.first ?? "")")
        }
        body(&self, number)
    }

    private mutating func withNode(_ words: [String], _ body: (inout ScenarioNode) -> Void) {
        withNumber(words) { body(&$0.nodes[$1]) }
    }

    private mutating func input(_ input: Input, _ words: [String]) {
        withNumber(words) { $0.give(input, to: $1) }
    }

    // MARK: Beginning

    private mutating func begin(_ words: [String]) {
        var voters: [UInt64] = []
        var others: [UInt64] = []
        var isVoter = true
        for word in words {
            if word == "outside" {
                isVoter = false
            } else if let id = UInt64(word) {
                if isVoter { voters.append(id) } else { others.append(id) }
            } else {
                set(word)
            }
        }
        let members = Configuration(voters: voters.map { ReplicaID(node: $0) })
        for id in voters + others { add(id, members: members) }
    }

    private mutating func set(_ word: String) {
        let parts = word.split(separator: "=")
        guard parts.count == 2, let value = Int(parts[1]) else {
            return violate("\(word) is no setting")
        }
        switch parts[0] {
        case "election": settings.electionTicks = value
        case "heartbeat": settings.heartbeatTicks = value
        case "entries": settings.messageEntriesMax = value
        case "window": settings.inflightMessagesMax = value
        case "tail": settings.tailEntriesMax = value
        case "quiet": settings.quietTicks = value
        default: violate("\(word) is no setting")
        }
    }

    /// `log N TERM:NAME… [term T] [vote M]`: a replica that starts with this on its disk.
    private mutating func giveLog(_ words: [String]) {
        withNumber(words) { runner, number in
            var entries: [ScenarioNode.Entry] = []
            var state = HardState()
            var word = 1
            while word < words.count {
                if words[word] == "term" || words[word] == "vote" {
                    let value = runner.id(words, word + 1)
                    if words[word] == "term" {
                        state.term = Term(value)
                    } else {
                        state.vote = ReplicaID(node: value)
                    }
                    word += 2
                    continue
                }
                let parts = words[word].split(separator: ":").map(String.init)
                entries.append(
                    ScenarioNode.Entry(
                        info: EntryInfo(term: Term(UInt64(parts[0]) ?? 0), size: 100),
                        name: parts.count > 1 ? parts[1] : "x"))
                word += 1
            }
            state.term = max(state.term, entries.last?.info.term ?? .zero)
            runner.nodes[number].entries = entries
            runner.nodes[number].saved = state
            runner.start(number)
        }
    }

    // MARK: Callers

    /// Appends entries as the leader: `propose N NAME…`.
    private mutating func propose(_ words: [String]) {
        withNumber(words) { runner, number in
            let names = words.dropFirst()
            let raft = runner.nodes[number].raft
            if let refusal = raft.proposalRefusal(expecting: nil, bytes: 100 * names.count) {
                return runner.output.append("\(raft.id) refuses: \(refusal)")
            }
            let infos = names.map { _ in EntryInfo(term: raft.term, size: 100) }
            for (info, name) in zip(infos, names) {
                runner.nodes[number].entries.append(ScenarioNode.Entry(info: info, name: name))
            }
            runner.give(.appended(infos), to: number)
        }
    }

    /// Changes the members: `members N voters A B C [learners D]`.
    private mutating func changeMembers(_ words: [String]) {
        var voters: [ReplicaID] = []
        var learners: [ReplicaID] = []
        var areVoters = true
        for word in words.dropFirst() {
            if let id = UInt64(word) {
                if areVoters {
                    voters.append(ReplicaID(node: id))
                } else {
                    learners.append(ReplicaID(node: id))
                }
            } else {
                areVoters = word == "voters"
            }
        }
        input(.changeMembers(voters: voters, learners: learners), words)
    }

    // MARK: The network

    /// `deliver`: the oldest message; `deliver all`; `deliver A B`: all from A to B.
    private mutating func move(_ words: [String], isLost: Bool) {
        var places: [Int] = []
        if words.count == 2 {
            places = network.indices.filter {
                network[$0].message.from.node == id(words, 0)
                    && network[$0].message.to.node == id(words, 1)
            }
        } else if words.first == "all" {
            places = Array(network.indices)
        } else if !network.isEmpty {
            places = [0]
        }
        // What is sent meanwhile stands behind these, so their places move by those delivered before.
        for (gone, place) in places.enumerated() {
            if isLost { network.remove(at: place - gone) } else { deliver(place - gone) }
        }
    }

    /// `repeat A B`: the oldest message from A to B once more, behind all others.
    private mutating func duplicate(_ words: [String]) {
        let found = network.first {
            $0.message.from.node == id(words, 0) && $0.message.to.node == id(words, 1)
        }
        if let found { network.append(found) }
    }

    private mutating func isolate(_ id: UInt64) {
        for node in nodes where node.raft.id.node != id {
            cuts.append((id, node.raft.id.node))
            cuts.append((node.raft.id.node, id))
        }
    }

    /// Delivers, saves and syncs until there is nothing left to do.
    private mutating func settle() {
        for _ in 0..<10_000 {
            if !network.isEmpty {
                deliver(0)
                continue
            }
            guard let number = nodes.indices.first(where: { hasWork(nodes[$0]) }) else { return }
            let words = ["\(nodes[number].raft.id.node)"]
            save(words)
            beginSync(words)
            endSync(words)
            if nodes[number].installing != nil { install(words) }
        }
        violate("the replicas do not come to rest")
    }

    private func hasWork(_ node: ScenarioNode) -> Bool {
        node.isRunning
            && (!node.unsaved.isEmpty || node.synced < node.last || node.installing != nil)
    }

    // MARK: The disk

    private mutating func save(_ words: [String]) {
        withNumber(words) { runner, number in
            let writes = runner.nodes[number].unsaved
            runner.nodes[number].unsaved = []
            for (state, version) in writes {
                runner.nodes[number].saved = state
                runner.give(.hardStateSaved(version: version), to: number)
            }
        }
    }

    private mutating func beginSync(_ words: [String]) {
        withNode(words) { $0.sync = ($0.last, $0.epoch) }
    }

    private mutating func endSync(_ words: [String]) {
        withNumber(words) { runner, number in
            guard let sync = runner.nodes[number].sync else { return }
            runner.nodes[number].sync = nil
            if sync.epoch == runner.nodes[number].epoch {
                runner.nodes[number].synced = max(
                    runner.nodes[number].synced, min(sync.through, runner.nodes[number].last))
            }
            runner.give(.entriesStored(through: sync.through, epoch: sync.epoch), to: number)
        }
    }

    private mutating func install(_ words: [String]) {
        withNumber(words) { runner, number in
            guard let snapshot = runner.nodes[number].installing else { return }
            runner.nodes[number].installing = nil
            runner.nodes[number].entries = []
            runner.nodes[number].start = snapshot.lastIndex
            runner.nodes[number].startTerm = snapshot.lastTerm
            runner.nodes[number].members = snapshot.configuration
            runner.nodes[number].synced = snapshot.lastIndex
            runner.nodes[number].sync = nil
            runner.give(.snapshotInstalled(snapshot), to: number)
        }
    }

    /// `retain N I`: entries up to `I` go.
    private mutating func retain(_ words: [String]) {
        withNumber(words) { runner, number in
            let index = LogIndex(runner.id(words, 1))
            var node = runner.nodes[number]
            guard index <= node.raft.commit, index > node.start, let last = node[index] else {
                return runner.violate("entries up to \(index) cannot go")
            }
            for entry in node.entries.prefix(index.distance(from: node.start)) {
                node.members = entry.info.configuration ?? node.members
            }
            node.entries.removeFirst(index.distance(from: node.start))
            node.startTerm = last.info.term
            node.start = index
            runner.nodes[number] = node
            runner.give(.logStartMoved(lastGone: index), to: number)
        }
    }

    private mutating func stop(_ words: [String], losesUnsynced: Bool) {
        withNode(words) { node in
            node.isRunning = false
            node.installing = nil
            node.sync = nil
            if losesUnsynced {
                node.truncate(after: node.synced)
            } else if let last = node.unsaved.last {
                // The page cache survives the process, and the next start saves it.
                node.saved = last.state
            }
            node.unsaved = []
        }
    }

    // MARK: Looking

    private mutating func show() {
        for node in nodes {
            let raft = node.raft
            var text = "\(raft.id) \(node.isRunning ? "\(raft.role)" : "down") term \(raft.term)"
            if let vote = raft.hardState.vote { text += " vote \(vote)" }
            text += " commit \(raft.commit) log \(node.logText)"
            output.append(text)
        }
    }
}
