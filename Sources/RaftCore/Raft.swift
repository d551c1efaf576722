// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import DequeModule
public import Positions

/// One replica's part in a group that keeps one log on several disks.
///
/// ```
///              ┌──────────── election timeout: asks for pre-votes ───────────┐
///              ▼                                                             │
///        preCandidate ──majority──▶ candidate ──majority──▶ leader           │
///              │                        │                     │              │
///              └── leader or refusals ──┴── higher term, ─────┴──▶ follower ─┘
///                                           no quorum, slow disk
/// ```
///
/// A value with one owner, who hands in what happens with ``receive(_:into:)`` and performs the
/// effects in order. It reads no clock, draws chance from its seed and knows entries by term, size
/// and kind: equal inputs have equal effects.
///
/// The algorithm is Raft (Ongaro and Ousterhout, 2014; Ongaro's thesis) with pre-vote (9.6),
/// check-quorum (6.2), leadership transfer (3.10), joint consensus (4.3) that leaves by itself,
/// learners (4.2.1), reads by index (6.4), and asynchronous storage. It differs in that a follower
/// commits only what it has synced, that a snapshot has no content, and that quiet groups stop
/// their clocks.
///
/// Invariants, asserted where they could break:
/// - at most one leader in a term; a term has one vote, saved before anybody hears of it;
/// - what a replica acknowledges is on its disk and the leader's;
/// - the commit index never falls, and nothing at or before it is ever removed by a conflict.
public struct Raft: Sendable {
    /// The replica.
    public let id: ReplicaID
    /// What it is set to; may change at any time.
    public var settings: RaftSettings
    var random: SplitMix64

    /// Term and vote as they are to be saved.
    public internal(set) var hardState: HardState
    /// Grows with each change of the hard state.
    var version: UInt64 = 0
    /// The version that is on the disk.
    var savedVersion: UInt64 = 0
    /// The hard state was changed when the replica came up, and nobody was told yet.
    private var owesSave = false

    var entries: EntryTable
    /// The last entry that is on the disk, with all before it.
    public internal(set) var durableIndex: LogIndex
    /// Grows with each truncation.
    var epoch: UInt64 = 0
    /// The last entry that is known to be committed.
    public internal(set) var commit: LogIndex
    var members: MemberHistory

    var state: State
    /// Who leads in this term, as far as is known.
    public internal(set) var leader: ReplicaID?
    var clock = ElectionClock()

    // What a follower knows of its leader's log; both begin anew with each term.

    /// The last entry that the leader has vouched for to be its own.
    var verified: LogIndex
    /// What the leader has committed of that.
    var commitLimit = LogIndex.zero
    /// The leader waits to hear what is durable.
    var owesAck = false
    /// What it has heard.
    var acked = LogIndex.zero

    /// Messages that wait for the hard state to be saved.
    var outbox: [Message] = []
    /// Ticks in which the disk had something to do and finished nothing.
    var stalledTicks = 0
    var hasFailed = false
    /// A leader has said that this replica is no member.
    var isRemoved = false
    /// Entries may be lost that were called durable.
    var mayHaveLostEntries: Bool
    var damaged: [RaftStart.DamagedRange]
    var repairTicks = 0
    /// The log is being begun anew behind this.
    var installing: Snapshot?
    /// Nothing happens, and no clock runs.
    public internal(set) var isQuiet = false
    /// What of the core this replica has been through.
    public internal(set) var marks = Marks()

    /// The roles, with what only they have.
    enum State: Sendable {
        case follower
        case preCandidate(Ballot)
        case candidate(Ballot)
        case leader(Leadership)
    }

    /// A replica as it comes up; a follower, whatever it was before.
    ///
    /// - Parameters:
    ///   - start: What is on its disk.
    ///   - seed: What election timeouts are drawn from; another one for each replica.
    public init(id: ReplicaID, settings: RaftSettings, start: RaftStart, seed: UInt64) {
        self.id = id
        self.settings = settings
        random = SplitMix64(seed: seed)
        hardState = start.hardState
        entries = EntryTable(start)
        durableIndex = start.lastIndex
        commit = max(start.startIndex, min(start.commit, start.lastIndex))
        members = MemberHistory(start)
        state = .follower
        verified = start.startIndex
        damaged = start.damaged
        mayHaveLostEntries = start.mayHaveLostEntries
        // The log's sync may have been ahead of the journal's. In the term that only the log knows of
        // there was no vote, and that has to be saved before anything is said in it.
        if entries.lastTerm > hardState.term {
            hardState = HardState(term: entries.lastTerm, vote: nil)
            version = 1
            owesSave = true
        }
        resetClock()
    }

    // MARK: What callers may know

    /// The role.
    public var role: RoleReport.Role {
        switch state {
        case .follower: .follower
        case .preCandidate: .preCandidate
        case .candidate: .candidate
        case .leader: .leader
        }
    }

    /// The latest term that the replica knows.
    public var term: Term { hardState.term }
    /// The last entry.
    public var lastIndex: LogIndex { entries.lastIndex }
    /// The last entry that is gone from the front of the log.
    public var startIndex: LogIndex { entries.startIndex }
    /// The members as of the last entry, which is when they begin to count.
    public var configuration: Configuration { members.latest }
    /// Whether it leads and has committed an entry of its own term: only then does it know what is
    /// committed.
    public var isReady: Bool {
        guard case .leader(let leadership) = state else { return false }
        return commit >= leadership.firstIndex
    }
    /// The term of an entry, if it is known.
    public func term(at index: LogIndex) -> Term? { entries.term(at: index) }

    /// Whether no other replica is a member.
    public var followersAreNone: Bool {
        guard case .leader(let leadership) = state else { return configuration.members == [id] }
        return leadership.progress.isEmpty
    }

    /// What a leader knows of the others; empty if it does not lead.
    public var followers: [FollowerReport] {
        guard case .leader(let leadership) = state else { return [] }
        return leadership.progress.map {
            FollowerReport($0, isVoter: configuration.isVoter($0.id))
        }
    }

    /// Why a leader would not take entries now; `nil` if it does.
    ///
    /// - Parameters:
    ///   - term: The term in which the caller has judged the entries.
    ///   - bytes: Their size.
    public func proposalRefusal(expecting term: Term?, bytes: Int) -> ProposalRefusal? {
        if hasFailed { return .storageFailed }
        guard case .leader(let leadership) = state else { return .notLeader(leader: leader) }
        if let term, term != self.term { return .staleTerm(self.term) }
        if leadership.transfer != nil { return .transferring }
        let waiting = entries.bytes(upTo: lastIndex) - entries.bytes(upTo: commit)
        guard waiting == 0 || waiting + UInt64(bytes) <= UInt64(settings.uncommittedBytesMax) else {
            return .tooMuchUncommitted
        }
        return nil
    }

    // MARK: What happens

    /// Takes in what happened, and says what is to be done.
    ///
    /// Costs time in the number of members and of entries in the message, and never waits.
    public mutating func receive(_ input: Input, into effects: inout [Effect]) {
        guard !hasFailed else { return refuse(input, into: &effects) }
        if owesSave {
            owesSave = false
            effects.append(.saveHardState(hardState, version: version))
        }
        switch input {
        case .tick: tick(into: &effects)
        case .message(let message): receive(message, into: &effects)
        case .hardStateSaved(let version): hardStateSaved(version, into: &effects)
        case .entriesStored(let index, let epoch):
            entriesStored(through: index, epoch: epoch, into: &effects)
        case .entriesRefused(let last): entriesRefused(last: last, into: &effects)
        case .storageFailed: storageFailed(into: &effects)
        case .appended(let infos): appended(infos, into: &effects)
        case .read(let read): self.read(read, into: &effects)
        case .changeMembers(let voters, let learners):
            changeMembers(voters: voters, learners: learners, into: &effects)
        case .transfer(let target): transfer(to: target, into: &effects)
        case .campaign:
            wake(into: &effects)
            if mayCampaign { campaign(into: &effects) }
        case .storedSent(let follower, let first, let last, let term):
            storedSent(to: follower, first: first, last: last, term: term, into: &effects)
        case .snapshotInstalled(let snapshot): snapshotInstalled(snapshot, into: &effects)
        case .logStartMoved(let index): logStartMoved(lastGone: index)
        case .repaired(let first, let last): repaired(first: first, last: last)
        case .nodeLost(let node): nodeLost(node, into: &effects)
        case .wake: wake(into: &effects)
        }
    }

    /// A replica whose disk has failed answers its own callers, and nobody else.
    private func refuse(_ input: Input, into effects: inout [Effect]) {
        switch input {
        case .read(let read): effects.append(.readFailed(read))
        case .changeMembers: effects.append(.changeEnded(.notLeader(leader: nil)))
        case .transfer: effects.append(.transferEnded)
        default: break
        }
    }

    private mutating func tick(into effects: inout [Effect]) {
        noteStall()
        guard !isQuiet else { return }
        clock.elapsed += 1
        switch state {
        case .leader: tickLeader(into: &effects)
        case .follower, .preCandidate, .candidate:
            requestRepair(into: &effects)
            guard clock.elapsed >= clock.timeout else { return }
            if mayCampaign {
                clock.failedRounds += 1
                campaign(into: &effects)
            } else {
                loseLeader(into: &effects)
            }
        }
    }

    /// Stops waiting for a leader that is not heard, so that others may be elected.
    private mutating func loseLeader(into effects: inout [Effect]) {
        resetClock()
        guard leader != nil else { return }
        leader = nil
        reportRole(into: &effects)
    }

    /// Counts for how long the disk has done nothing of what it was asked.
    private mutating func noteStall() {
        let isIdle = durableIndex >= lastIndex && savedVersion == version
        stalledTicks = isIdle ? 0 : stalledTicks + 1
    }

    /// Whether the disk has been asked for something for an election timeout without an answer.
    var isStalled: Bool { stalledTicks >= settings.electionTicks }

    // MARK: Sending

    /// Sends a message, once all that was promised up to now is on the disk.
    mutating func send(
        _ body: Message.Body, to peer: ReplicaID, term: Term? = nil, into effects: inout [Effect]
    ) {
        let message = Message(from: id, to: peer, term: term ?? self.term, body: body)
        guard savedVersion < version, !planted(.volatileVote) else {
            effects.append(.send(message))
            return
        }
        // Of one kind only the last one counts, so what waits is bounded.
        outbox.removeAll { $0.to == peer && $0.body.kind == body.kind }
        outbox.append(message)
        if case .voteReply = body { marks.insert(.voteHeldForDisk) }
    }

    /// Changes term or vote, and has that saved.
    mutating func setHardState(_ new: HardState, into effects: inout [Effect]) {
        precondition(new.term >= hardState.term, "the term fell")
        guard new != hardState else { return }
        if new.term > hardState.term {
            verified = max(startIndex, min(commit, lastIndex))
            commitLimit = .zero
            acked = .zero
            owesAck = false
            outbox = []
        }
        hardState = new
        version += 1
        effects.append(.saveHardState(new, version: version))
    }

    private mutating func hardStateSaved(_ saved: UInt64, into effects: inout [Effect]) {
        precondition(saved <= version, "version \(saved) was never asked for")
        guard saved > savedVersion else { return }
        savedVersion = saved
        stalledTicks = 0
        guard savedVersion == version else { return }
        for message in outbox { effects.append(.send(message)) }
        outbox = []
        if case .candidate(var ballot) = state, ballot.version <= savedVersion {
            ballot.note(id, isGranted: true)
            state = .candidate(ballot)
            count(ballot, into: &effects)
        }
        acknowledge(into: &effects)
    }

    func reportRole(into effects: inout [Effect]) {
        effects.append(.roleChanged(RoleReport(role: role, term: term, leader: leader)))
    }
}

extension Message.Body {
    /// A number for each kind.
    var kind: Int {
        switch self {
        case .voteRequest(let request): request.isPreVote ? 0 : 1
        case .voteReply(let reply): reply.isPreVote ? 2 : 3
        case .append: 4
        case .appendReply: 5
        case .heartbeat: 6
        case .heartbeatReply: 7
        case .snapshot: 8
        case .timeoutNow: 9
        case .notMember: 10
        case .repairRequest: 11
        case .repair: 12
        }
    }
}
