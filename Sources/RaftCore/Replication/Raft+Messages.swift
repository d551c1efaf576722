// SPDX-License-Identifier: Apache-2.0

internal import Positions

// What a message's term means, before its content is looked at.
extension Raft {
    mutating func receive(_ message: Message, into effects: inout [Effect]) {
        guard message.to == id, message.from != id else { return }
        if isQuiet, !message.isQuietHeartbeat {
            marks.insert(.wokenByMessage)
            wake(into: &effects)
        }
        if message.term > term {
            guard adopt(message, into: &effects) else { return }
        } else if message.term < term {
            return answerOld(message, into: &effects)
        }
        switch message.body {
        case .voteRequest(let request):
            if tellNotMember(message.from, into: &effects) { return }
            receive(request, of: message, into: &effects)
        case .voteReply(let reply): receive(reply, of: message, into: &effects)
        case .append(let append):
            follow(message.from, refreshing: !planted(.appendDoesNotRefreshTimer), into: &effects)
            receive(append, from: message.from, into: &effects)
        case .appendReply(let reply): receive(reply, of: message, into: &effects)
        case .heartbeat(let heartbeat):
            follow(message.from, refreshing: true, into: &effects)
            receive(heartbeat, from: message.from, into: &effects)
        case .heartbeatReply(let reply): receive(reply, of: message, into: &effects)
        case .snapshot(let snapshot):
            follow(message.from, refreshing: true, into: &effects)
            receive(snapshot, from: message.from, into: &effects)
        case .timeoutNow: receiveTimeoutNow(into: &effects)
        case .notMember: isRemoved = !leads
        case .repairRequest(let request): receive(request, from: message.from, into: &effects)
        case .repair(let repair): receive(repair, into: &effects)
        }
    }

    /// Takes a message of a higher term: usually this replica's term is that one then.
    ///
    /// - Returns: Whether the content is to be looked at.
    private mutating func adopt(_ message: Message, into effects: inout [Effect]) -> Bool {
        switch message.body {
        case .voteRequest(let request) where request.isPreVote:
            // It says what somebody would do, not what is.
            return true
        case .voteRequest(let request):
            let isForced = request.isTransfer && !planted(.transferHeedsLease)
            guard isForced || !hasLease else {
                _ = tellNotMember(message.from, into: &effects)
                return false
            }
            guard !abstains else {
                marks.insert(.abstained)
                return false
            }
            becomeFollower(in: message.term, of: nil, keepingClock: true, into: &effects)
            return true
        case .voteReply(let reply) where reply.isPreVote && reply.isGranted:
            return true
        case .append, .heartbeat, .snapshot, .repair:
            becomeFollower(in: message.term, of: message.from, into: &effects)
            return true
        case .voteReply, .appendReply, .heartbeatReply, .timeoutNow, .notMember, .repairRequest:
            becomeFollower(in: message.term, of: nil, into: &effects)
            return true
        }
    }

    /// Answers a message of a lower term, where its sender has to learn of the present one.
    private mutating func answerOld(_ message: Message, into effects: inout [Effect]) {
        switch message.body {
        case .append, .heartbeat, .snapshot:
            send(.heartbeatReply(HeartbeatReply(round: 0)), to: message.from, into: &effects)
        case .voteRequest(let request):
            if tellNotMember(message.from, into: &effects) { return }
            send(
                .voteReply(VoteReply(isPreVote: request.isPreVote, isGranted: false)),
                to: message.from, into: &effects)
        case .appendReply(let reply) where planted(.acksOfOldTermCount):
            receive(reply, of: message, into: &effects)
        default: break
        }
    }

    /// Follows who leads in this term.
    private mutating func follow(
        _ newLeader: ReplicaID, refreshing: Bool, into effects: inout [Effect]
    ) {
        precondition(!leads, "\(newLeader) and \(id) both lead in term \(term)")
        isRemoved = false
        let elapsed = clock.elapsed
        if leader != newLeader || role != .follower {
            becomeFollower(in: term, of: newLeader, into: &effects)
        } else {
            resetClock()
        }
        clock.failedRounds = 0
        if !refreshing { clock.elapsed = elapsed }
    }

    /// Tells who is no member any more; whether it is none.
    private mutating func tellNotMember(
        _ peer: ReplicaID, into effects: inout [Effect]
    ) -> Bool {
        guard leads, !configuration.contains(peer) else { return false }
        marks.insert(.removedReplicaTold)
        send(.notMember, to: peer, into: &effects)
        return true
    }
}

extension Message {
    /// A heartbeat that asks to stop the clock does not start it.
    fileprivate var isQuietHeartbeat: Bool {
        if case .heartbeat(let heartbeat) = body { heartbeat.quietIndex != .zero } else { false }
    }
}
