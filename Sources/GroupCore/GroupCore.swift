// SPDX-License-Identifier: Apache-2.0

internal import Bytes

// Consumer groups, as a function of what members ask and of time.
//
//     requests, ticks, what became durable ──▶ GroupCore ──▶ answers, records to append, observations
//     records of an earlier life ──replay──▶      │
//                                                 └── a Group each: members, phase, offsets
//
// `GroupCore` is the coordinator of Kafka's classic groups. It does nothing by itself: whoever runs it
// appends its `GroupRecord`s to a log, says when they are durable, calls it again when its next
// deadline has come, and carries its answers to those who asked.

/// The coordinator of consumer groups.
///
/// One owner calls it, from one thread at a time. The owner
///
/// 1. replays the records of the log in order, then calls ``finishReplay(at:)``; until then requests are
///    answered with ``GroupError/coordinatorLoadInProgress``;
/// 2. hands in inputs, with time that never goes back, and performs the effects in order;
/// 3. appends the records of ``Effect/append(_:_:)`` to the log in the order of the effects, and hands
///    in ``Input/appended(_:at:)`` or ``Input/appendFailed(_:at:)`` for each, in the same order;
/// 4. hands in ``Input/tick(at:)`` no later than at ``nextDeadline``.
public struct GroupCore: Sendable {
    /// What happens to the coordinator.
    public enum Input: Sendable {
        case request(RequestID, GroupRequest, at: GroupTime)
        /// The records of this append, and of all before it, are durable or have failed.
        case appended(AppendToken, at: GroupTime)
        /// The records of this append are not durable, as far as can be said.
        case appendFailed(AppendToken, at: GroupTime)
        /// Time has passed.
        case tick(at: GroupTime)
        /// Nobody waits for the answer any more; none will be given, if it still waits.
        case abandoned(RequestID, at: GroupTime)
        /// A topic is gone: so are all offsets that were committed of it.
        case topicDeleted(UInt128, at: GroupTime)
    }

    /// What is to be done, in the order given.
    public enum Effect: Sendable, Equatable {
        /// Every request has just one answer, unless it was abandoned.
        case answer(RequestID, GroupResponse)
        /// Make these durable: all of them or none.
        case append([GroupRecord], AppendToken)
        case observe(GroupObservation)
    }

    /// What all groups share, with the settings.
    var turn: Turn
    var groups = GroupTable()
    var deadlines = DeadlineQueue()
    /// Deletions that somebody waits for, by request.
    var deletions: [RequestID: Deletion] = [:]
    /// Whether all records were replayed.
    var isServing = false
    /// When offsets are looked through next for those that are too old; `nil` if none can be.
    var nextRetentionCheck: Int64?

    /// The groups of one request to delete, some of which wait for the log.
    struct Deletion: Sendable {
        var errors: [GroupError?]
        var waitingCount: Int
    }

    /// A coordinator without groups.
    ///
    /// - Parameters:
    ///   - settings: What it is set to.
    ///   - seed: What member ids are drawn from. Each life of a server needs another, so that no id is
    ///     given twice.
    public init(settings: GroupSettings = GroupSettings(), seed: UInt64) {
        turn = Turn(settings: settings, seed: seed)
    }

    // MARK: What happens

    /// Takes in what happened, and says what is to be done.
    ///
    /// - Parameters:
    ///   - input: What happened. Its time is not before that of the input before it.
    ///   - effects: Appended to, in the order in which they are to be performed.
    public mutating func receive(_ input: Input, into effects: inout [Effect]) {
        swap(&effects, &turn.effects)
        defer { swap(&effects, &turn.effects) }
        switch input {
        case .request(let id, let request, let time):
            begin(at: time)
            guard isServing else {
                return turn.answer(id, request.refused(.coordinatorLoadInProgress))
            }
            perform(request, id)
        case .appended(let token, let time):
            begin(at: time)
            end(turn.endAppend(token), isDurable: true)
        case .appendFailed(let token, let time):
            begin(at: time)
            end(turn.endAppend(token), isDurable: false)
        case .tick(let time):
            begin(at: time)
            tick()
        case .abandoned(let request, let time):
            begin(at: time)
            guard let group = turn.abandon(request) else { return }
            change(group) { group, turn in group.abandon(request, &turn) }
        case .topicDeleted(let topicID, let time):
            begin(at: time)
            deleteTopic(topicID)
        }
    }

    /// The monotonic time at which ``Input/tick(at:)`` is wanted next; `nil` if nothing waits for time.
    ///
    /// It may come earlier than there is anything to do.
    public var nextDeadline: Int64? {
        guard let first = deadlines.first?.deadline else { return nextRetentionCheck }
        return min(first, nextRetentionCheck ?? first)
    }

    private mutating func begin(at time: GroupTime) {
        // A clock that goes back would only make timeouts longer; the wall clock may.
        turn.time = GroupTime(
            milliseconds: max(time.milliseconds, turn.time.milliseconds), wallTime: time.wallTime)
    }

    /// Does something to a group that is there, and sees to what follows.
    @discardableResult
    mutating func change<Result>(
        _ id: String, _ body: (inout Group, inout Turn) -> Result
    ) -> Result? {
        turn.wakeTime = nil
        var isForgotten = false
        var wakeTime: Int64?
        let result = groups.change(id) { group in
            let result = body(&group, &turn)
            let removalTime = group.removalTime(turn.settings)
            isForgotten = removalTime == .min
            let earliest = min(turn.wakeTime ?? .max, removalTime ?? .max)
            if !isForgotten, earliest < group.wakeTime ?? .max {
                group.wakeTime = earliest
                wakeTime = earliest
            }
            return result
        }
        if isForgotten {
            groups.remove(id)
            turn.observe(.groupRemoved(group: id))
        }
        if let wakeTime { schedule(id, at: wakeTime) }
        return result
    }

    /// Notes when a group wants to be looked at.
    private mutating func schedule(_ id: String, at wakeTime: Int64) {
        deadlines.insert(DeadlineQueue.Entry(deadline: wakeTime, group: id))
        if deadlines.count > 2 * groups.count + 64 {
            deadlines.keep { groups[$0.group]?.wakeTime == $0.deadline }
        }
    }

    private mutating func tick() {
        // Each group once: what is due anew at once waits for the next tick, so that others have
        // their turn whatever a group does.
        var due: [DeadlineQueue.Entry] = []
        while let entry = deadlines.popFirst(dueAt: turn.now) { due.append(entry) }
        for entry in due where groups[entry.group]?.wakeTime == entry.deadline {
            change(entry.group) { group, turn in
                group.wakeTime = nil
                group.expire(&turn)
            }
        }
        guard let check = nextRetentionCheck, check <= turn.now else { return }
        nextRetentionCheck = turn.now + max(turn.settings.offsetRetentionCheckInterval, 1)
        for id in groups.ids {
            change(id) { group, turn in group.expireOffsets(&turn) }
        }
    }
}
