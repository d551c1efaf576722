// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import RaftCore

// Who is to be a member.
extension ClusterRun {
    /// Asks a leader for some step from the members that it knows to others.
    mutating func changeMembers(
        _ leader: Int, _ random: inout SplitMix64
    ) throws(Violation) {
        let now = slots[leader].node.configuration
        var voters = now.voters
        var learners = now.learners
        let outside = slots.indices.map { slots[$0].node.id }.filter { !now.contains($0) }
        let isGone = { [slots] (id: ReplicaID) in slots[Int(id.node) - 1].node.id != id }
        switch random.pick(0...5) {
        case 0:
            // Whoever has lost its disk goes, and comes back to learn.
            guard let lost = (voters + learners).first(where: isGone) else { return }
            voters.removeAll { $0 == lost }
            learners.removeAll { $0 == lost }
            learners.append(slots[Int(lost.node) - 1].node.id)
            marks.insert(.memberReplaced)
        case 1, 2:
            guard !outside.isEmpty else { return }
            let new = random.pick(outside)
            learners.append(new)
            marks.insert(.memberAdded)
            if !slots[Int(new.node) - 1].hasStarted {
                queue.plan(
                    .start(slot: Int(new.node) - 1), at: self.now + random.time(0...500_000))
                marks.insert(.joinedLate)
            }
        case 3:
            guard let learner = learners.first(where: { !isGone($0) }) else { return }
            learners.removeAll { $0 == learner }
            voters.append(learner)
            marks.insert(.voterPromoted)
            if random.happens(percent: 40), voters.count > 2 {
                voters.remove(at: random.pick(0...(voters.count - 2)))
                marks.insert(.memberReplaced)
            }
        case 4:
            guard voters.count > 1 else { return }
            let place = random.pick(0...(voters.count - 1))
            // Some stay on to learn.
            if random.happens(percent: 30) { learners.append(voters[place]) }
            voters.remove(at: place)
            marks.insert(.memberRemoved)
        default:
            guard !learners.isEmpty else { return }
            learners.remove(at: random.pick(0...(learners.count - 1)))
        }
        guard remainsSound(voters) else { return }
        try command(.changeMembers(voters: voters, learners: learners), leader)
    }

    /// Whether most of some voters have a sound disk: else the group could never go on.
    private func remainsSound(_ voters: [ReplicaID]) -> Bool {
        let sound = voters.count { id in
            let node = slots[Int(id.node) - 1].node
            return node.id == id && !node.isDamaged
        }
        return sound > voters.count / 2
    }
}
