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

    let settings: GroupSettings

    /// A coordinator without groups.
    ///
    /// - Parameters:
    ///   - settings: What it is set to.
    ///   - seed: What member ids are drawn from. Each life of a server needs another, so that no id is
    ///     given twice.
    public init(settings: GroupSettings = GroupSettings(), seed: UInt64) {
        self.settings = settings
        generator = SplitMix64(seed: seed)
    }

    var generator: SplitMix64

    // MARK: What happens

    /// Takes in what happened, and says what is to be done.
    ///
    /// - Parameters:
    ///   - input: What happened. Its time is not before that of the input before it.
    ///   - effects: Appended to, in the order in which they are to be performed.
    public mutating func receive(_ input: Input, into effects: inout [Effect]) {
        guard case .request(let id, let request, _) = input else { return }
        effects.append(.answer(id, request.refused(.coordinatorLoadInProgress)))
    }

    /// The monotonic time at which ``Input/tick(at:)`` is wanted next; `nil` if nothing waits for time.
    ///
    /// It may come earlier than there is anything to do.
    public var nextDeadline: Int64? { nil }

    // MARK: Records

    /// Takes in a record of an earlier life, in the order of the log.
    public mutating func replay(_ record: GroupRecord) {}

    /// Begins to serve, once every record was replayed.
    ///
    /// Members that were in a stable generation still are, and have a whole session timeout to be
    /// heard of.
    public mutating func finishReplay(at time: GroupTime) {}

    /// A place in the records of a snapshot.
    public struct SnapshotPosition: Sendable, Equatable {
        var group: String
        var offsets: Int
    }

    /// Records that stand for all that is durable, a part at a time.
    ///
    /// They say what replaying all records that became durable so far would say, and nothing of
    /// appends that are under way: those are to be appended behind them. To take time over it, copy
    /// the coordinator first: a copy is cheap and stands still.
    ///
    /// - Parameters:
    ///   - position: Where the part before ended; `nil` at first.
    ///   - countMax: The most records of the part.
    /// - Returns: The records, and where to go on; `nil` behind the last.
    public func snapshotRecords(
        from position: SnapshotPosition?, countMax: Int
    ) -> (records: [GroupRecord], next: SnapshotPosition?) {
        ([], nil)
    }

    // MARK: Questions

    /// A group with its members and offsets; `nil` if it is not there.
    public func overview(of groupID: String) -> GroupOverview? { nil }

    /// The ids of the topics that offsets were committed of, ascending, without 0.
    ///
    /// Behind a replay, those that are there no more are to be handed in as ``Input/topicDeleted(_:at:)``.
    public var topicIDs: [UInt128] { [] }
}
