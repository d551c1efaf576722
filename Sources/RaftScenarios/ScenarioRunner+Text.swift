// SPDX-License-Identifier: Apache-2.0

internal import Positions
internal import RaftCore

extension ScenarioRunner {
    /// A message in a few words.
    func text(of message: Message) -> String {
        "\(message.from)→\(message.to) " + text(of: message.body) + " [\(message.term)]"
    }

    private func text(of body: Message.Body) -> String {
        switch body {
        case .voteRequest(let request):
            (request.isPreVote ? "pre-vote? " : request.isTransfer ? "vote, by order? " : "vote? ")
                + "last \(request.lastIndex)/\(request.lastTerm)"
        case .voteReply(let reply):
            (reply.isPreVote ? "pre-vote " : "vote ") + (reply.isGranted ? "yes" : "no")
        case .append(let append):
            "append behind \(append.previousIndex)/\(append.previousTerm)"
                + (append.entries.isEmpty ? "" : " +\(append.entries.count)")
                + " commit \(append.commit)"
        case .appendReply(.accepted(let match)): "has \(match)"
        case .appendReply(.rejected(let previous, let hintIndex, let hintTerm)):
            "lacks \(previous), try \(hintIndex)/\(hintTerm)"
        case .heartbeat(let heartbeat):
            heartbeat.quietIndex == .zero
                ? "heartbeat commit \(heartbeat.commit)" : "rest at \(heartbeat.quietIndex)"
        case .heartbeatReply: "heartbeat heard"
        case .snapshot(let snapshot):
            "begin behind \(snapshot.lastIndex)/\(snapshot.lastTerm) \(snapshot.configuration)"
        case .timeoutNow: "campaign now"
        case .notMember: "not a member"
        case .repairRequest(let request): "repair \(request.first)…\(request.last)?"
        case .repair(let repair): "repair \(repair.first) +\(repair.entries.count)"
        }
    }
}
