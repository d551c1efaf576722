// SPDX-License-Identifier: Apache-2.0

internal import Positions

// How a group that has nothing to do costs nothing.
//
// A leader whose followers all have everything, committed, says so with a last heartbeat; who agrees
// stops its clock, and so does the leader. From then on the nodes watch each other, one heartbeat for
// all their groups, and whatever happens starts the clock again.
extension Raft {
    /// Stops the clocks of the group if nothing has happened for long enough.
    mutating func fallQuiet(into effects: inout [Effect]) -> Bool {
        guard let quietTicks = settings.quietTicks, leadership.idleTicks >= max(1, quietTicks)
        else { return false }
        let isSettled =
            isReady && commit == lastIndex && durableIndex == lastIndex && savedVersion == version
            && leadership.transfer == nil && leadership.reads.isEmpty
            && leadership.earlyReads.isEmpty && !configuration.isJoint
            && leadership.progress.allSatisfy { $0.match == lastIndex && $0.isActive }
        guard isSettled else { return false }
        sendHeartbeats(quietIndex: lastIndex, into: &effects)
        stopClock(into: &effects)
        return true
    }

    mutating func stopClock(into effects: inout [Effect]) {
        guard !isQuiet else { return }
        isQuiet = true
        marks.insert(.fellQuiet)
        effects.append(.observed(.fellQuiet))
    }

    /// Starts the clock again.
    mutating func wake(into effects: inout [Effect]) {
        guard isQuiet else { return }
        isQuiet = false
        effects.append(.observed(.woke))
        guard leads else { return resetClock() }
        leadership.idleTicks = 0
        leadership.quorumElapsed = 0
        sendHeartbeats(into: &effects)
    }

    /// Takes the word of the node for it that another node is gone: a hint, which decides nothing.
    mutating func nodeLost(_ node: UInt64, into effects: inout [Effect]) {
        if leads {
            var isMember = false
            for number in leadership.progress.indices
            where leadership.progress[number].id.node == node {
                leadership.progress[number].isActive = false
                isMember = true
            }
            if isMember { wake(into: &effects) }
            return
        }
        guard let leader, leader.node == node else { return }
        if isQuiet { marks.insert(.wokenByLostNode) }
        wake(into: &effects)
        // The lease ends, and whoever is first asks for pre-votes at once.
        self.leader = nil
        hastenClock()
        reportRole(into: &effects)
    }
}
