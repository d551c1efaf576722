// SPDX-License-Identifier: Apache-2.0

internal import Positions

// How a replica comes to lead.
extension Raft {
    /// Whether the replica may ask for votes.
    ///
    /// Not if it has none itself, lacks entries that it has called durable, or has a disk that does
    /// not answer.
    var mayCampaign: Bool {
        guard isNeededAsVoter, !isRemoved, installing == nil else { return false }
        guard damaged.isEmpty || planted(.damagedCampaigns) else { return false }
        if isStalled && !isAlone { return false }
        if case .leader = state { return false }
        return !abstains
    }

    /// Whether the replica votes, or would if its removal came to nothing.
    ///
    /// Until the removal is committed, the only log with all entries may be this one: then no other
    /// can be elected, and this one has to be, by the votes of the others (thesis 4.2.2).
    private var isNeededAsVoter: Bool {
        if configuration.isVoter(id) { return true }
        return members.latestIndex > commit && members.previous?.isVoter(id) == true
    }

    /// Whether no other replica has a vote.
    var isAlone: Bool { configuration.voters == [id] && !configuration.isJoint }

    /// Whether the replica may have forgotten what others rely on.
    var abstains: Bool {
        guard !isAlone else { return false }
        return mayHaveLostEntries || damaged.contains { !$0.termsAreKnown }
    }

    /// Asks for pre-votes, or for votes at once if nobody else has one.
    mutating func campaign(into effects: inout [Effect]) {
        guard !isAlone, !planted(.noPreVote) else {
            return stand(isTransfer: false, into: &effects)
        }
        becomeCandidate(.preCandidate(Ballot(version: version)), into: &effects)
        effects.append(.observed(.electionStarted(term: nextTerm, isPreVote: true)))
        guard case .preCandidate(var ballot) = state else { return }
        ballot.note(id, isGranted: true)
        state = .preCandidate(ballot)
        askForVotes(isPreVote: true, isTransfer: false, into: &effects)
        count(ballot, into: &effects)
    }

    /// Asks for votes in the next term.
    mutating func stand(isTransfer: Bool, into effects: inout [Effect]) {
        guard term < .max else { return }
        setHardState(HardState(term: nextTerm, vote: id), into: &effects)
        // Its own vote counts once it is saved.
        becomeCandidate(.candidate(Ballot(version: version)), into: &effects)
        effects.append(.observed(.electionStarted(term: term, isPreVote: false)))
        askForVotes(isPreVote: false, isTransfer: isTransfer, into: &effects)
        if configuration.isJoint { marks.insert(.electionInJointConfiguration) }
    }

    private var nextTerm: Term { Term(term.rawValue + 1) }

    private mutating func becomeCandidate(_ new: State, into effects: inout [Effect]) {
        state = new
        leader = nil
        resetClock()
        reportRole(into: &effects)
    }

    private mutating func askForVotes(
        isPreVote: Bool, isTransfer: Bool, into effects: inout [Effect]
    ) {
        let request = VoteRequest(
            isPreVote: isPreVote, isTransfer: isTransfer, lastIndex: lastIndex,
            lastTerm: entries.lastTerm)
        for voter in configuration.members where voter != id && configuration.isVoter(voter) {
            send(
                .voteRequest(request), to: voter, term: isPreVote ? nextTerm : term,
                into: &effects)
        }
    }

    // MARK: Votes given

    /// Answers a request whose term is not below this replica's, or that is for a pre-vote.
    mutating func receive(
        _ request: VoteRequest, of message: Message, into effects: inout [Effect]
    ) {
        guard !abstains else {
            marks.insert(.abstained)
            return
        }
        if !configuration.isVoter(id) { marks.insert(.learnerVoted) }
        let isUpToDate = isUpToDate(request)
        if !isUpToDate { marks.insert(.voteRefusedForLog) }
        if request.isPreVote {
            let isGranted = isUpToDate && !hasLease && message.term > term
            if hasLease { marks.insert(.preVoteRefusedForLease) }
            send(
                .voteReply(VoteReply(isPreVote: true, isGranted: isGranted)), to: message.from,
                term: isGranted ? message.term : term, into: &effects)
            return
        }
        var isGranted =
            isUpToDate
            && (hardState.vote == message.from || (hardState.vote == nil && leader == nil))
        if planted(.voteTwice), isUpToDate { isGranted = true }
        if isGranted {
            setHardState(HardState(term: term, vote: message.from), into: &effects)
            resetClock()
        }
        send(
            .voteReply(VoteReply(isPreVote: false, isGranted: isGranted)), to: message.from,
            into: &effects)
    }

    /// Whether a candidate's log has all that this one has (Raft 5.4.1).
    private func isUpToDate(_ request: VoteRequest) -> Bool {
        if planted(.voteIgnoresLog) { return true }
        return (request.lastTerm, request.lastIndex) >= (entries.lastTerm, lastIndex)
    }

    /// Whether a leader was heard so lately that nobody else may be elected (thesis 6.2).
    var hasLease: Bool {
        if case .leader = state { return true }
        return leader != nil && clock.elapsed < settings.electionTicks
    }

    // MARK: Votes got

    mutating func receive(_ reply: VoteReply, of message: Message, into effects: inout [Effect]) {
        switch state {
        case .preCandidate(var ballot):
            // A promise is for the term that was asked about, and no other.
            guard reply.isPreVote, !reply.isGranted || message.term == nextTerm else { return }
            ballot.note(message.from, isGranted: reply.isGranted)
            state = .preCandidate(ballot)
            count(ballot, into: &effects)
        case .candidate(var ballot):
            guard !reply.isPreVote, message.term == term else { return }
            ballot.note(message.from, isGranted: reply.isGranted)
            state = .candidate(ballot)
            count(ballot, into: &effects)
        case .follower, .leader: break
        }
    }

    /// Looks whether an election is over.
    mutating func count(_ ballot: Ballot, into effects: inout [Effect]) {
        let outcome =
            planted(.unionMajority)
            ? ballot.outcomeOfUnion(in: configuration) : ballot.outcome(in: configuration)
        switch outcome {
        case .open: break
        case .lost:
            marks.insert(.electionLost)
            state = .follower
            reportRole(into: &effects)
        case .won:
            if case .preCandidate = state {
                stand(isTransfer: false, into: &effects)
            } else if savedVersion == version || planted(.volatileVote) {
                becomeLeader(into: &effects)
            }
        }
    }

    // MARK: Following

    /// Follows a leader, or nobody, in a term that is not below the present one.
    mutating func becomeFollower(
        in newTerm: Term, of newLeader: ReplicaID?,
        because reason: Observation.StepDownReason = .higherTerm, keepingClock: Bool = false,
        into effects: inout [Effect]
    ) {
        let wasFollower = role == .follower
        if case .leader(let leadership) = state { abdicate(leadership, reason, into: &effects) }
        let isChanged = role != .follower || newTerm != term || newLeader != leader
        if newTerm > term {
            // In the old term somebody may have been voted for; in the new one nobody was.
            setHardState(HardState(term: newTerm, vote: nil), into: &effects)
        }
        state = .follower
        leader = newLeader
        if newLeader != nil { clock.failedRounds = 0 }
        // Who asks for a vote and does not get it shall not keep others from asking.
        if !(keepingClock && wasFollower) { resetClock() }
        if isChanged { reportRole(into: &effects) }
    }
}
