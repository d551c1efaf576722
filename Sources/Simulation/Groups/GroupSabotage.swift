// SPDX-License-Identifier: Apache-2.0

internal import GroupCore

/// A bug of a coordinator put in on purpose, to see that the simulator finds it.
public enum GroupSabotage: String, Sendable, CaseIterable {
    /// Every generation has the same number.
    case keepsGeneration
    /// Commits are taken from any generation and anybody.
    case takesAnyCommit
    /// Appends are taken for durable when they begin.
    case answersBeforeDurable
    /// A static member's old id goes on to work.
    case forgetsFencing
    /// Heartbeats do not prolong a session.
    case ignoresHeartbeats
    /// Nobody looks at the clock: whoever is silent stays.
    case ignoresTime
    /// Each member is given what the leader is given.
    case givesAllToEach
    /// Every now and then records are not written, and said to be.
    case losesRecords
    /// What was forgotten is not written.
    case skipsTombstones
    /// Records are replayed from the last to the first.
    case replaysBackwards
    /// A coordinator that starts knows of no offsets.
    case replaysNoOffsets
}

/// The coordinator under test, with the bug that is put in between it and everybody.
struct SabotagedCoordinator {
    private(set) var core: GroupCore
    private let sabotage: GroupSabotage?
    /// The groups of requests whose answers are to be changed.
    private var groups: [RequestID: String] = [:]
    /// What the leader of each group was given last.
    private var leaderAssignments: [String: [UInt8]] = [:]

    /// A coordinator that replays records.
    init(
        _ settings: GroupSettings, seed: UInt64, replaying records: [GroupRecord],
        at time: GroupTime,
        _ sabotage: GroupSabotage?
    ) {
        self.sabotage = sabotage
        core = GroupCore(settings: settings, seed: seed)
        var records = records
        switch sabotage {
        case .replaysBackwards: records.reverse()
        case .replaysNoOffsets:
            records.removeAll { if case .offset = $0 { true } else { false } }
        default: break
        }
        for record in records { core.replay(record) }
        core.finishReplay(at: time)
    }

    mutating func receive(_ input: GroupCore.Input, into effects: inout [GroupCore.Effect]) {
        switch (sabotage, input) {
        case (.ignoresTime?, .tick): return
        case (.ignoresHeartbeats?, .request(_, .heartbeat, _)):
            // Answered by a copy, of which nothing is kept.
            var copy = core
            return copy.receive(input, into: &effects)
        case (_, .request(let id, let request, let time)):
            let changed = change(request, id)
            core.receive(.request(id, changed, at: time), into: &effects)
        default: core.receive(input, into: &effects)
        }
        guard sabotage == .keepsGeneration || sabotage == .givesAllToEach else { return }
        for index in effects.indices {
            if case .answer(let id, let response) = effects[index] {
                effects[index] = .answer(id, change(response, id))
            }
        }
    }

    private mutating func change(_ request: GroupRequest, _ id: RequestID) -> GroupRequest {
        switch (sabotage, request) {
        case (.takesAnyCommit?, .offsetCommit(var commit)):
            guard let group = core.overview(of: commit.groupID) else { return request }
            commit.generation = group.members.isEmpty ? -1 : group.generation
            commit.memberID = group.members.first?.memberID ?? ""
            commit.instanceID = nil
            return .offsetCommit(commit)
        case (.forgetsFencing?, .offsetCommit(var commit)):
            commit.memberID = current(commit.groupID, commit.instanceID) ?? commit.memberID
            return .offsetCommit(commit)
        case (.forgetsFencing?, .heartbeat(var beat)):
            beat.memberID = current(beat.groupID, beat.instanceID) ?? beat.memberID
            return .heartbeat(beat)
        case (.keepsGeneration?, .syncGroup(var sync)):
            sync.generation = core.overview(of: sync.groupID)?.generation ?? sync.generation
            groups[id] = sync.groupID
            return .syncGroup(sync)
        case (.keepsGeneration?, .heartbeat(var beat)):
            beat.generation = core.overview(of: beat.groupID)?.generation ?? beat.generation
            return .heartbeat(beat)
        case (.givesAllToEach?, .syncGroup(let sync)):
            groups[id] = sync.groupID
            if let first = sync.assignments.first {
                leaderAssignments[sync.groupID] = first.assignment
            }
            return request
        default: return request
        }
    }

    private func current(_ group: String, _ instanceID: String?) -> String? {
        guard let instanceID else { return nil }
        return core.overview(of: group)?.members.first { $0.instanceID == instanceID }?.memberID
    }

    private mutating func change(_ response: GroupResponse, _ id: RequestID) -> GroupResponse {
        switch (sabotage, response) {
        case (.keepsGeneration?, .joinGroup(var answer)):
            if answer.generation > 0 { answer.generation = 1 }
            return .joinGroup(answer)
        case (.givesAllToEach?, .syncGroup(var answer)):
            guard answer.error == nil, let group = groups[id] else { return response }
            answer.assignment = leaderAssignments[group] ?? answer.assignment
            return .syncGroup(answer)
        default: return response
        }
    }
}
