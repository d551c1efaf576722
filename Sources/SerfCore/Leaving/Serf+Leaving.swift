// SPDX-License-Identifier: Apache-2.0

internal import SwimCore

extension Serf {
    /// Begins to leave.
    ///
    /// When nobody is there to be told, it is over within the same call.
    mutating func leave(for command: CommandID, at now: Moment) {
        layer.phase = .leaving
        let number = layer.announceLeave(of: layer.name, prune: false)
        leaving = LeaveSequence(
            command: command, stage: .intent(number),
            deadline: now + layer.settings.broadcastTimeout)
    }

    /// Goes on with what was waited for, or has taken too long.
    ///
    /// - Parameters:
    ///   - sentIntents: Tracked intents that were sent often enough since the last call.
    ///   - sent: The same of the memberlist's broadcasts.
    mutating func advanceLeaving(
        sentIntents: [BroadcastID], sent: [BroadcastID], at now: Moment
    ) {
        guard var sequence = leaving else { return }
        let settings = layer.settings
        if case .intent(let number) = sequence.stage {
            let isSent = sentIntents.contains(number)
            guard isSent || sequence.deadline <= now || !memberlist.hasCompany else { return }
            let id = memberlist.leave(at: now, delegate: &layer)
            sequence.stage = .death(id)
            sequence.deadline = now + settings.broadcastTimeout
        }
        if case .death(let id) = sequence.stage {
            leaving = sequence
            guard sent.contains(id) || sequence.deadline <= now || !memberlist.hasCompany else {
                return
            }
            sequence.stage = .lingering
            // Alone there is nobody who asks whether we are still there.
            sequence.deadline = memberlist.hasCompany ? now + settings.leaveDelay : now
        }
        leaving = sequence
        guard sequence.deadline <= now else { return }
        leaving = nil
        layer.effects.append(.ended(sequence.command, .success(.done)))
        layer.stopReason = .left
    }
}
