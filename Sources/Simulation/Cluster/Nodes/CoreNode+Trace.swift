// SPDX-License-Identifier: Apache-2.0

internal import Positions
internal import RaftCore

// What the core was given and what came of it, as a line for the TLA+ specification
// (`Verification/tla/README.md` says what is in it).
extension CoreNode {
    /// The line of one input.
    ///
    /// - Parameter given: What the node has given out because of it.
    func traceLine(of input: Input?, given: ArraySlice<NodeOutput<Packet>>) -> String {
        var line = "{\"node\":\(id.node),\"cause\":\"\(Self.cause(of: input))\""
        if case .message(let message) = input {
            line += ",\"message\":\(Self.fields(of: message))"
        }
        var sent: [String] = []
        for output in given {
            if case .send(_, let packet, _, _) = output, let message = packet.message,
                let text = Self.sent(message)
            {
                sent.append(text)
            }
        }
        return line + ",\"sent\":[\(sent.joined(separator: ","))],\"after\":\(traceState)}"
    }

    static func cause(of input: Input?) -> String {
        switch input {
        case nil: "restart"
        case .message(let message): cause(of: message)
        case .hardStateSaved: "saved"
        case .entriesStored: "stored"
        case .entriesRefused: "refused"
        case .appended: "appended"
        case .changeMembers: "change"
        default: "tick"
        }
    }

    private static func cause(of message: Message) -> String {
        switch message.body {
        case .voteRequest(let request) where !request.isPreVote: "voteRequest"
        case .voteReply(let reply) where !reply.isPreVote: "voteReply"
        case .append: "append"
        case .appendReply(.accepted): "accepted"
        case .heartbeat: "heartbeat"
        default: "message"
        }
    }

    private static func fields(of message: Message) -> String {
        let from = "{\"from\":\(message.from.node),\"term\":\(message.term)"
        switch message.body {
        case .voteRequest(let request):
            guard !request.isPreVote else { return "{\"from\":\(message.from.node),\"term\":0}" }
            return from + ",\"lastIndex\":\(request.lastIndex),\"lastTerm\":\(request.lastTerm)}"
        case .voteReply(let reply):
            guard !reply.isPreVote else { return "{\"from\":\(message.from.node),\"term\":0}" }
            return from + ",\"granted\":\(reply.isGranted)}"
        case .append(let append): return from + "," + fields(of: append) + "}"
        case .appendReply(.accepted(let match)): return from + ",\"match\":\(match)}"
        case .heartbeat(let heartbeat): return from + ",\"commit\":\(heartbeat.commit)}"
        default: return from + "}"
        }
    }

    private static func fields(of append: Append) -> String {
        "\"previous\":\(append.previousIndex),\"previousTerm\":\(append.previousTerm),"
            + "\"count\":\(append.entries.count),\"commit\":\(append.commit)"
    }

    /// A message that was given out; `nil` for kinds that the specification does not know.
    private static func sent(_ message: Message) -> String? {
        let to = "\"to\":\(message.to.node),\"term\":\(message.term)"
        switch message.body {
        case .voteRequest(let request) where !request.isPreVote:
            return "{\"kind\":\"voteRequest\",\(to),\"lastIndex\":\(request.lastIndex),"
                + "\"lastTerm\":\(request.lastTerm)}"
        case .voteReply(let reply) where !reply.isPreVote && reply.isGranted:
            return "{\"kind\":\"granted\",\(to)}"
        case .append(let append): return "{\"kind\":\"append\",\(to),\(fields(of: append))}"
        case .appendReply(.accepted(let match)):
            return "{\"kind\":\"accepted\",\(to),\"match\":\(match)}"
        case .heartbeat(let heartbeat):
            return "{\"kind\":\"heartbeat\",\(to),\"commit\":\(heartbeat.commit)}"
        default: return nil
        }
    }

    var traceState: String {
        let role =
            switch raft.role {
            case .leader: "leader"
            case .candidate: "candidate"
            case .follower, .preCandidate: "follower"
            }
        let log = disk.entries.map { entry in
            switch entry.info.kind {
            case .noOp: "\(entry.info.term)n"
            case .data: "\(entry.info.term)d\(entry.count)"
            case .configuration(let configuration):
                "\(entry.info.term)c" + Self.nodes(configuration.voters)
                    + (configuration.isJoint ? "/" + Self.nodes(configuration.outgoing) : "")
            }
        }
        return "{\"term\":\(raft.term),\"vote\":\(raft.hardState.vote?.node ?? 0),"
            + "\"savedTerm\":\(disk.savedState.term),"
            + "\"savedVote\":\(disk.savedState.vote?.node ?? 0),\"role\":\"\(role)\","
            + "\"log\":\"\(log.joined(separator: " "))\",\"synced\":\(raft.durableIndex),"
            + "\"commit\":\(raft.commit),\"end\":\(disk.endOffset),"
            + "\"highWatermark\":\(disk.endOffset(at: raft.commit))}"
    }

    private static func nodes(_ ids: [ReplicaID]) -> String {
        ids.map { "\($0.node)" }.joined(separator: ",")
    }
}
