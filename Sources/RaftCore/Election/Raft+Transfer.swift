// SPDX-License-Identifier: Apache-2.0

internal import Positions

// How a leader hands on its office (thesis 3.10).
extension Raft {
    mutating func transfer(to target: ReplicaID, into effects: inout [Effect]) {
        guard leads, target != id, configuration.voters.contains(target),
            leadership.number(of: target) != nil
        else { return effects.append(.transferEnded) }
        wake(into: &effects)
        if leadership.transfer != nil { effects.append(.transferEnded) }
        leadership.transfer = Leadership.Transfer(target: target)
        askTarget(into: &effects)
        if let number = leadership.number(of: target) { replicate(to: number, into: &effects) }
    }

    /// Asks the one who is to lead to campaign, once it has all entries.
    mutating func askTarget(into effects: inout [Effect]) {
        guard let transfer = leadership.transfer, !transfer.isAsked,
            let number = leadership.number(of: transfer.target),
            leadership.progress[number].match == lastIndex
        else { return }
        leadership.transfer?.isAsked = true
        send(.timeoutNow, to: transfer.target, into: &effects)
    }

    /// Gives up what takes longer than an election would.
    mutating func tickTransfer(into effects: inout [Effect]) {
        guard leadership.transfer != nil else { return }
        leadership.transfer?.elapsed += 1
        guard let elapsed = leadership.transfer?.elapsed, elapsed >= settings.electionTicks else {
            return
        }
        marks.insert(.transferGivenUp)
        leadership.transfer = nil
        effects.append(.transferEnded)
    }

    /// Campaigns because the leader wants it.
    mutating func receiveTimeoutNow(into effects: inout [Effect]) {
        marks.insert(.timeoutNowReceived)
        guard mayCampaign, configuration.voters.contains(id) else { return }
        stand(isTransfer: true, into: &effects)
    }
}
