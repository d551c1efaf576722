// SPDX-License-Identifier: Apache-2.0

internal import Positions
internal import RaftCore

// How the core's messages get their content.
extension CoreNode {
    func send(
        _ message: Message, _ outputs: inout [NodeOutput<Packet>]
    ) throws(Violation) {
        if case .appendReply(.accepted(let match)) = message.body {
            try manners.checkAcknowledged(match, by: raft)
        }
        var packet = Packet(node: id.node, incarnation: currentIncarnation, message: message)
        var bytes = 64
        switch message.body {
        case .append(let append):
            packet.contents = contents(append)
            for info in append.entries { bytes += info.size }
        case .snapshot: packet.startOffset = disk.start.offset
        default: break
        }
        outputs.append(
            .send(to: message.to.node, packet, bytes: bytes, promise: Promise(message)))
    }

    private func contents(_ append: Append) -> [Content] {
        guard !append.entries.isEmpty else { return [] }
        var contents: [Content] = []
        contents.reserveCapacity(append.entries.count)
        var index = append.previousIndex.next
        for info in append.entries {
            if disk.holds(index) {
                let entry = disk.entry(at: index)
                precondition(entry.info == info, "entry \(index) is sent as another one")
                contents.append(Content(value: entry.value, count: entry.count))
            } else {
                // A no-op or a configuration that the disk has refused a moment ago.
                precondition(info.kind != .data, "entry \(index) is sent and not in the log")
                contents.append(Content(value: 0, count: 0))
            }
            index = index.next
        }
        return contents
    }

    /// Sends entries that were asked for a while ago, if they are still what was asked for.
    mutating func sendStored(
        _ request: StoredRequest, _ outputs: inout [NodeOutput<Packet>]
    ) throws(Violation) {
        var infos: [EntryInfo] = []
        var contents: [Content] = []
        var bytes = 0
        var index = request.first
        let isCurrent = raft.role == .leader && raft.term == request.term
        while isCurrent, index <= request.last, disk.holds(index) {
            let entry = disk.entry(at: index)
            guard infos.isEmpty || bytes + entry.info.size <= request.bytesMax else { break }
            infos.append(entry.info)
            contents.append(Content(value: entry.value, count: entry.count))
            bytes += entry.info.size
            index = index.next
        }
        if !infos.isEmpty {
            let body: Message.Body
            if let envelope = request.append {
                body = .append(
                    Append(
                        previousIndex: request.first.previous,
                        previousTerm: envelope.previousTerm, entries: infos,
                        commit: envelope.commit))
            } else {
                body = .repair(Repair(first: request.first, entries: infos))
            }
            let message = Message(from: id, to: request.to, term: request.term, body: body)
            outputs.append(
                .send(
                    to: request.to.node,
                    Packet(
                        node: id.node, incarnation: currentIncarnation, message: message,
                        contents: contents), bytes: bytes + 64, promise: nil))
        }
        // A leader hears in any case; whoever asked for a repair asks again.
        guard request.append != nil else { return }
        try tellSent(request, last: index.previous, &outputs)
    }

    func describe(_ packet: Packet) -> String {
        packet.message.map { Self.describe($0) } ?? "alive"
    }

    static func describe(_ message: Message) -> String {
        "\(message.from)→\(message.to) term \(message.term) \(Self.describe(message.body))"
    }

    private static func describe(_ body: Message.Body) -> String {
        switch body {
        case .voteRequest(let request):
            (request.isPreVote ? "preVote?" : request.isTransfer ? "transferVote?" : "vote?")
                + " last \(request.lastIndex)/\(request.lastTerm)"
        case .voteReply(let reply):
            (reply.isPreVote ? "preVote" : "vote") + (reply.isGranted ? " granted" : " refused")
        case .append(let append):
            "append behind \(append.previousIndex)/\(append.previousTerm) "
                + "\(append.entries.count) entries, commit \(append.commit)"
        case .appendReply(.accepted(let match)): "accepted \(match)"
        case .appendReply(.rejected(let previous, let hint, let term)):
            "rejected \(previous), hint \(hint)/\(term)"
        case .heartbeat(let heartbeat):
            "heartbeat commit \(heartbeat.commit) round \(heartbeat.round)"
                + (heartbeat.quietIndex == .zero ? "" : " quiet at \(heartbeat.quietIndex)")
        case .heartbeatReply(let reply): "heartbeatReply round \(reply.round)"
        case .snapshot(let snapshot):
            "snapshot \(snapshot.lastIndex)/\(snapshot.lastTerm) \(snapshot.configuration)"
        case .timeoutNow: "timeoutNow"
        case .notMember: "notMember"
        case .repairRequest(let request): "repair? \(request.first)...\(request.last)"
        case .repair(let repair): "repair \(repair.first) \(repair.entries.count) entries"
        }
    }
}

extension Promise {
    /// What the receiver of a message will rely on.
    init?(_ message: Message) {
        switch message.body {
        case .voteReply(let reply):
            guard !reply.isPreVote else {
                guard reply.isGranted else { return nil }
                self = .preVote(message.to, message.term)
                return
            }
            self =
                reply.isGranted
                ? .vote(message.to, message.term) : .term(message.term)
        case .voteRequest(let request):
            guard !request.isPreVote else { return nil }
            self = .candidacy(message.term, isTransfer: request.isTransfer)
        case .appendReply(.accepted(let match)): self = .match(match, message.term)
        default: self = .term(message.term)
        }
    }
}
