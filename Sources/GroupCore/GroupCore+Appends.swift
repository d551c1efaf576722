// SPDX-License-Identifier: Apache-2.0

/// What follows once records are durable, or are not.
extension GroupCore {
    mutating func end(_ append: PendingAppend, isDurable: Bool) {
        if let id = append.group {
            change(id) { group, turn in
                group.appendsUnderWay -= 1
                if case .commit = append.purpose {
                    group.offsetsUnderWay -= append.records.count
                    group.offsetBytesUnderWay -= Group.offsetBytes(of: append.records)
                }
                if !isDurable { turn.observe(.appendFailed(group: id)) }
                if isDurable {
                    group.apply(append.records, without: turn.topicsUnderDeletion)
                }
                group.end(append.purpose, isDurable: isDurable, &turn)
            }
        } else {
            // The topic is gone, whatever the log says: the owner finds it out after a restart.
            for record in append.records {
                change(record.groupID) { group, _ in group.apply([record]) }
            }
        }
        answer(append.purpose, isDurable: isDurable)
    }

    private mutating func answer(_ purpose: PendingAppend.Purpose, isDurable: Bool) {
        func outcome(_ error: GroupError?) -> GroupError? {
            error ?? (isDurable ? nil : .coordinatorNotAvailable)
        }
        switch purpose {
        case .commit(let request, _, let errors):
            turn.answer(
                request, .offsetCommit(OffsetCommit.Answer(errors: errors.map(outcome))))
        case .offsetDelete(let request, _, let errors):
            turn.answer(
                request,
                .offsetDelete(OffsetDelete.Answer(error: nil, errors: errors.map(outcome))))
        case .deletion(let request, _, let row):
            guard var deletion = deletions.removeValue(forKey: request) else { return }
            deletion.errors[row] = outcome(nil)
            deletion.waitingCount -= 1
            if deletion.waitingCount > 0 {
                deletions[request] = deletion
            } else {
                turn.answer(
                    request, .deleteGroups(DeleteGroups.Answer(errors: deletion.errors)))
            }
        case .assignments, .replacement, .emptiness, .removal, .expiry, .topicDeletion: break
        }
    }
}

extension Group {
    /// Takes in what is durable now, as a replay would.
    ///
    /// - Parameter topics: Topics that are gone: what was committed of them is on its way to be
    ///   forgotten, and must not be seen in between.
    mutating func apply(_ records: [GroupRecord], without topics: [UInt128] = []) {
        for record in records {
            switch record {
            case .group(_, let metadata): durable = metadata
            case .offset(_, let partition, let committed):
                if let committed, topics.contains(committed.topicID) { continue }
                offsets.set(partition, committed)
            }
        }
    }

    /// Goes on after an append of the group's.
    mutating func end(
        _ purpose: PendingAppend.Purpose, isDurable: Bool, _ turn: inout Turn
    ) {
        switch purpose {
        case .assignments(_, let generation):
            endAssigning(generation: generation, isDurable: isDurable, &turn)
        case .replacement(let replacement):
            endReplacement(replacement, isDurable: isDurable, &turn)
        case .deletion, .removal:
            endDeletion(isDurable: isDurable, &turn)
        case .expiry(_, let count):
            if isDurable { turn.observe(.offsetsExpired(group: id, count: count)) }
        case .emptiness, .commit, .offsetDelete, .topicDeletion: break
        }
    }
}

extension GroupRecord {
    /// The group that the record is about.
    var groupID: String {
        switch self {
        case .group(let id, _): id
        case .offset(let group, _, _): group
        }
    }
}
