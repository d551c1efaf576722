// SPDX-License-Identifier: Apache-2.0

internal import Positions
internal import RaftCore

/// Knows all that has ever been written, voted and committed in a cluster, and what must not be.
///
/// It is told of each thing when it happens, and throws if it must not have happened. Hash tables are
/// only looked into, never walked through.
struct ClusterOracle {
    private struct Place: Hashable {
        var index: LogIndex
        var term: Term
    }

    private struct Ballot: Hashable {
        var voter: ReplicaID
        var term: Term
    }

    private struct PreVote: Hashable {
        var voter: ReplicaID
        var candidate: ReplicaID
        var term: Term
    }

    /// Whether the members as of a log's start are those that the entries before it named, and not
    /// later ones.
    let trustsStartMembers: Bool
    /// By slot.
    var logs: [ShadowLog] = []
    /// Disks that are gone, with what they had.
    private var gone: [ReplicaID: (log: ShadowLog, durable: LogIndex)] = [:]
    /// All that is committed, from the first entry on.
    private(set) var committed: [ShadowEntry] = []
    /// In which terms it was committed: a term and the first entry, ascending.
    private var commitTerms: [(term: Term, first: LogIndex)] = []
    /// The chain at each index of the first entry seen there, and of others.
    private var firstSeen: [(term: Term, chain: UInt64)] = []
    private var otherSeen: [Place: UInt64] = [:]
    private var leaders: [Term: ReplicaID] = [:]
    private var votes: [Ballot: ReplicaID] = [:]
    private var preVotes: Set<PreVote> = []

    init(trustsStartMembers: Bool) { self.trustsStartMembers = trustsStartMembers }

    var committedIndex: LogIndex { LogIndex(UInt64(committed.count)) }
    var committedEnd: Int64 { committed.last?.endOffset ?? 0 }

    func committedEntry(at index: LogIndex) -> ShadowEntry? {
        guard index > .zero, index <= committedIndex else { return nil }
        return committed[Int(index.rawValue) - 1]
    }

    /// The number for all committed entries up to one.
    private func committedChain(at index: LogIndex) -> UInt64? {
        index == .zero ? 0 : committedEntry(at: index)?.chain
    }

    // MARK: Logs

    /// Entries are cut from the end of a log.
    mutating func cut(_ slot: Int, from index: LogIndex) throws(Violation) {
        guard index > logs[slot].commit else {
            throw Violation("entries from \(index) on are cut, which are committed")
        }
        if index <= logs[slot].lastIndex { logs[slot].removeLast(from: index) }
    }

    /// A log has one more entry.
    mutating func add(
        _ content: EntryContent, at index: LogIndex, to slot: Int
    ) throws(Violation) {
        // Only numbers are taken out of the log: holding it would have it copied with each entry.
        let last = logs[slot].entries.last
        let start = logs[slot].start
        guard content.term >= last?.term ?? start.term else {
            throw Violation(
                "entry \(index) has term \(content.term), behind one of term "
                    + "\(last?.term ?? start.term)")
        }
        let end = last?.endOffset ?? start.offset
        guard content.baseOffset == end else {
            throw Violation(
                "entry \(index) has offset \(content.baseOffset), and the log ended at \(end)")
        }
        let chain = content.chain(after: last?.chain ?? logs[slot].startChain)
        try note(chain, at: index, content.term)
        if let configuration = content.configuration {
            if trustsStartMembers || logs[slot].configurations.count > 1 {
                try check(configuration, after: logs[slot].configurations.last, at: index)
            }
            logs[slot].configurations.append((index, configuration))
        }
        logs[slot].entries.append(
            ShadowEntry(
                term: content.term, chain: chain, value: content.value, count: content.count,
                baseOffset: content.baseOffset,
                isConfiguration: content.configuration != nil))
    }

    /// Log matching (Raft 5.3): equal index and term, equal entry, and equal all before it.
    private mutating func note(
        _ chain: UInt64, at index: LogIndex, _ term: Term
    ) throws(Violation) {
        let number = Int(index.rawValue) - 1
        if number == firstSeen.count {
            firstSeen.append((term, chain))
            return
        }
        let known: UInt64?
        if number < firstSeen.count, firstSeen[number].term == term {
            known = firstSeen[number].chain
        } else {
            known = otherSeen.updateValue(chain, forKey: Place(index: index, term: term))
        }
        guard known == nil || known == chain else {
            throw Violation("two logs differ at or before entry \(index) of term \(term)")
        }
    }

    /// Each configuration leads to the next by two majorities (thesis 4.3).
    private func check(
        _ configuration: Configuration,
        after last: (index: LogIndex, configuration: Configuration)?,
        at index: LogIndex
    ) throws(Violation) {
        // Who joins does not know what came before.
        guard let previous = last?.configuration, !previous.voters.isEmpty else { return }
        let isStep =
            previous.isJoint
            ? !configuration.isJoint && configuration.voters == previous.voters
            : configuration.isJoint && configuration.outgoing == previous.voters
        guard isStep else {
            throw Violation("entry \(index) leads from \(previous) to \(configuration)")
        }
    }

    /// A leader has appended a configuration of its own.
    func appendedConfiguration(_ slot: Int) throws(Violation) {
        let configurations = logs[slot].configurations
        guard configurations.count > 1 else { return }
        let previous = configurations[configurations.count - 2]
        guard previous.index <= committedIndex else {
            throw Violation(
                "members are changed at \(configurations[configurations.count - 1].index), and "
                    + "the change at \(previous.index) is not committed")
        }
        let term = logs[slot].report.term
        guard let last = commitTerms.last, last.term >= term else {
            throw Violation("members are changed in term \(term), of which nothing is committed")
        }
    }

    /// Entries are gone from the front of a log.
    mutating func startMoved(_ slot: Int, to start: LogStart) throws(Violation) {
        let log = logs[slot]
        guard start.index <= committedIndex, let entry = committedEntry(at: start.index),
            entry.term == start.term, entry.endOffset == start.offset
        else { throw Violation("the log begins behind \(start.index), which is not committed") }
        guard start.index >= log.start.index, let chain = log.chain(at: start.index) else {
            throw Violation("the log's start moves from \(log.start.index) to \(start.index)")
        }
        logs[slot].removeFirst(upTo: start, chain: chain)
    }

    /// A log begins anew behind a snapshot.
    mutating func wasReset(
        _ slot: Int, to start: LogStart, members: Configuration
    ) throws(Violation) {
        guard start.index >= logs[slot].commit else {
            throw Violation(
                "a snapshot of \(start.index), and \(logs[slot].commit) was committed")
        }
        try begin(slot, at: start, members: members)
        // What lay behind was another leader's, and is gone as by a truncation.
        logs[slot].promised = start.index
    }

    private mutating func begin(
        _ slot: Int, at start: LogStart, members: Configuration
    ) throws(Violation) {
        guard let chain = committedChain(at: start.index) else {
            throw Violation("the log begins behind \(start.index), which is not committed")
        }
        if let entry = committedEntry(at: start.index) {
            guard entry.term == start.term, entry.endOffset == start.offset else {
                throw Violation(
                    "the log begins behind entry \(start.index) of term \(start.term) and offset "
                        + "\(start.offset), which has term \(entry.term) and ends at "
                        + "\(entry.endOffset)")
            }
        }
        logs[slot].entries = []
        logs[slot].start = start
        logs[slot].startChain = chain
        logs[slot].configurations = [(start.index, members)]
    }

    // MARK: Starts

    /// A node is up again: first, where its log begins; then come the entries, then
    /// ``restarted(_:_:before:)``.
    mutating func restarts(
        _ slot: Int, at start: LogStart, members: Configuration
    ) throws(Violation) {
        logs[slot].commit = .zero
        try begin(slot, at: start, members: members)
    }

    /// A node is up again, and all that its disk has is known.
    mutating func restarted(
        _ slot: Int, _ state: NodeState, before: ShadowLog
    ) throws(Violation) {
        logs[slot].commit = state.commit
        let promised = before.promised
        guard state.lastIndex >= promised else {
            throw Violation("entry \(promised) was promised, and is gone after a restart")
        }
        if promised >= state.startIndex, let old = before.chain(at: promised) {
            guard logs[slot].chain(at: promised) == old else {
                throw Violation("entry \(promised) was promised, and is another after a restart")
            }
        }
        guard state.term >= before.promisedTerm else {
            throw Violation("term \(before.promisedTerm) was forgotten: it is \(state.term)")
        }
        guard state.commit <= committedIndex else {
            throw Violation("after a restart \(state.commit) is called committed")
        }
    }

    /// A disk is gone for ever.
    mutating func buried(
        _ slot: Int, _ id: ReplicaID, durable: LogIndex, newMembers: Configuration
    ) {
        gone[id] = (logs[slot], durable)
        logs[slot] = ShadowLog(members: newMembers)
    }

    // MARK: Promises

    /// A message goes out on whose content others rely.
    mutating func promised(
        _ promise: Promise, by id: ReplicaID, _ slot: Int, durable: LogIndex
    ) throws(Violation) {
        switch promise {
        case .match(let index, let term):
            logs[slot].promisedTerm = max(logs[slot].promisedTerm, term)
            guard index <= durable else {
                throw Violation("\(index) is acknowledged, and \(durable) is durable")
            }
            logs[slot].promised = max(logs[slot].promised, index)
            try checkAgreement(slot, on: index, in: term)
        case .preVote(let candidate, let term):
            preVotes.insert(PreVote(voter: id, candidate: candidate, term: term))
        case .candidacy(let term, let isTransfer):
            logs[slot].promisedTerm = max(logs[slot].promisedTerm, term)
            try vote(of: id, for: id, in: term)
            if !isTransfer { try checkPreVotes(for: id, slot, in: term) }
        case .term(let term):
            logs[slot].promisedTerm = max(logs[slot].promisedTerm, term)
        case .vote(let candidate, let term):
            logs[slot].promisedTerm = max(logs[slot].promisedTerm, term)
            try vote(of: id, for: candidate, in: term)
        }
    }

    /// What is acknowledged to a leader is the leader's.
    private func checkAgreement(
        _ slot: Int, on index: LogIndex, in term: Term
    ) throws(Violation) {
        guard let leader = leaders[term] else { return }
        let place = Int(leader.node) - 1
        guard place != slot, logs[place].leads, logs[place].report.term == term,
            index > logs[place].start.index, index > logs[slot].start.index
        else { return }
        guard logs[slot].chain(at: index) == logs[place].chain(at: index) else {
            throw Violation("\(index) is acknowledged, and the leader has another entry there")
        }
    }

    /// Nobody asks for votes before a majority would give them (thesis 9.6).
    private func checkPreVotes(
        for candidate: ReplicaID, _ slot: Int, in term: Term
    ) throws(Violation) {
        let configuration = logs[slot].configuration
        for voters in [configuration.voters, configuration.outgoing] where !voters.isEmpty {
            let count = voters.count { voter in
                voter == candidate
                    || preVotes.contains(PreVote(voter: voter, candidate: candidate, term: term))
            }
            guard count > voters.count / 2 else {
                throw Violation("\(candidate) asks for votes in term \(term) out of the blue")
            }
        }
    }

    private mutating func vote(
        of voter: ReplicaID, for candidate: ReplicaID, in term: Term
    ) throws(Violation) {
        let ballot = Ballot(voter: voter, term: term)
        guard let before = votes[ballot] else {
            votes[ballot] = candidate
            return
        }
        guard before == candidate else {
            throw Violation("\(voter) votes for \(before) and \(candidate) in term \(term)")
        }
    }

    // MARK: Elections

    /// Somebody leads.
    mutating func elected(_ slot: Int, _ id: ReplicaID, in term: Term) throws(Violation) {
        if let other = leaders[term] {
            guard other == id else {
                throw Violation("\(other) and \(id) both lead in term \(term)")
            }
            return
        }
        leaders[term] = id
        try vote(of: id, for: id, in: term)
        try checkVotes(for: id, slot, in: term)
        // Leader completeness (Raft 5.4): all that was committed in terms before. A replica that
        // is elected late need not have what later terms have committed.
        var index = committedIndex
        for (commitTerm, first) in commitTerms.reversed() {
            if commitTerm < term { break }
            index = first.previous
        }
        guard index > logs[slot].start.index else { return }
        guard let chain = logs[slot].chain(at: index), chain == committedChain(at: index) else {
            throw Violation(
                "\(id) leads in term \(term) without entry \(index), which is committed")
        }
    }

    /// A leader has the votes of each majority of its configuration.
    private func checkVotes(
        for leader: ReplicaID, _ slot: Int, in term: Term
    ) throws(Violation) {
        let configuration = logs[slot].configuration
        for voters in [configuration.voters, configuration.outgoing] where !voters.isEmpty {
            let count = voters.count { votes[Ballot(voter: $0, term: term)] == leader }
            guard count > voters.count / 2 else {
                throw Violation(
                    "\(leader) leads in term \(term) with \(count) votes of \(voters)")
            }
        }
    }

    // MARK: Commits

    /// A node calls all entries up to one committed.
    ///
    /// - Returns: Whether that is news, so that a majority's disks have to have them.
    mutating func commits(_ slot: Int, upTo index: LogIndex) throws(Violation) -> Bool {
        guard index >= logs[slot].commit else {
            throw Violation("the commit index falls from \(logs[slot].commit) to \(index)")
        }
        guard let chain = logs[slot].chain(at: index) else {
            throw Violation("\(index) is committed, and is not in the log")
        }
        logs[slot].commit = index
        let known = committedIndex
        if index <= known {
            // State-machine safety (Raft 5.4.3); the chain stands for all before it.
            guard committedChain(at: index) == chain else {
                throw Violation("entry \(index) is committed, and another one was before")
            }
            return false
        }
        guard logs[slot].leads else {
            throw Violation("\(index) is committed at a follower before any leader")
        }
        guard
            known <= logs[slot].start.index
                || logs[slot].chain(at: known) == committedChain(at: known)
        else { throw Violation("entry \(known) was committed, and the leader has another one") }
        let term = logs[slot].report.term
        guard logs[slot].entry(at: index)?.term == term else {
            throw Violation("entry \(index) of an older term is committed by counting")
        }
        if commitTerms.last?.term != term { commitTerms.append((term, known.next)) }
        for number in known.rawValue..<index.rawValue {
            guard let entry = logs[slot].entry(at: LogIndex(number + 1)) else {
                throw Violation("entry \(number + 1) is committed, and is not in the log")
            }
            committed.append(entry)
        }
        return true
    }

    /// Whether a disk that is gone had an entry.
    func hadDurable(_ id: ReplicaID, _ index: LogIndex, _ chain: UInt64) -> Bool {
        guard let (log, durable) = gone[id] else { return false }
        return index <= durable && (index < log.start.index || log.chain(at: index) == chain)
    }

    // MARK: Callers

    /// A caller is told that its batch is committed.
    func acknowledged(
        _ index: LogIndex, _ term: Term, offset: Int64, value: UInt64, count: Int
    ) throws(Violation) {
        guard let entry = committedEntry(at: index) else {
            throw Violation("entry \(index) is acknowledged and not committed")
        }
        guard entry.term == term, entry.value == value, entry.count == count,
            entry.baseOffset == offset
        else {
            throw Violation(
                "value \(value) is acknowledged at entry \(index) of term \(term), where value "
                    + "\(entry.value) of term \(entry.term) is")
        }
    }

    /// What holds between any two events at a node that is up.
    func check(_ slot: Int, _ state: NodeState, isFresh: Bool) throws(Violation) {
        let log = logs[slot]
        guard state.lastIndex == log.lastIndex || isFresh else {
            throw Violation(
                "the core's log ends at \(state.lastIndex), the disk's at \(log.lastIndex)")
        }
        guard state.startIndex == log.start.index || isFresh else {
            throw Violation(
                "the core's log begins at \(state.startIndex), the disk's at \(log.start.index)")
        }
        guard state.commit == log.commit else {
            throw Violation("the commit index is \(state.commit), and \(log.commit) was told")
        }
        guard state.startIndex <= state.commit else {
            throw Violation("the log begins at \(state.startIndex) behind commit \(state.commit)")
        }
        guard state.term >= log.promisedTerm else {
            throw Violation("the term fell from \(log.promisedTerm) to \(state.term)")
        }
    }
}
