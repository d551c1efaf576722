// SPDX-License-Identifier: Apache-2.0

internal import Records

/// A group: its members, where it stands, and how far it has come.
///
/// Owned by ``GroupCore``, which hands in one thing at a time.
struct Group: Sendable {
    let id: String
    /// Counts the generations; 0 before the first.
    var generation: Int32 = 0
    /// What kind of work the members share; empty for a group that never had any.
    var protocolType = ""
    var phase: Phase
    /// Since when the group is in its phase, by the time of day.
    var stateTime: Int64
    var members = SortedMap<String, Member>()
    /// The member ids of static members, by instance id.
    var instances = SortedMap<String, String>()
    /// Ids that were told and have not come back yet, and until when they may.
    var pending = SortedMap<String, Int64>()
    /// What the members make the coordinator keep, in bytes.
    var memberBytes = 0
    var offsets = OffsetTable()
    /// The generation that a replay of the records that are durable would give.
    var durable: GroupMetadata?
    /// Appends that are under way, and the offsets in them.
    var appendsUnderWay = 0
    var offsetsUnderWay = 0
    var offsetBytesUnderWay = 0
    /// When the group is to be looked at: its entry in the queue that means something.
    var wakeTime: Int64?

    init(id: String, at time: GroupTime) {
        self.id = id
        phase = .empty(since: time.milliseconds)
        stateTime = time.wallTime.rawValue
    }

    /// When the last trace of a group without members and offsets may go; `nil` while it has some.
    func removalTime(_ settings: GroupSettings) -> Int64? {
        guard case .empty(let since) = phase, members.isEmpty, pending.isEmpty, offsets.isEmpty,
            appendsUnderWay == 0
        else { return nil }
        return durable == nil ? .min : since + settings.emptyGroupRetention
    }

    // MARK: Members

    /// Why a request in the name of a member is refused; `nil` if it is not.
    func refusal(ofMember memberID: String, instanceID: String?) -> GroupError? {
        if let instanceID {
            guard let current = instances[instanceID] else { return .unknownMemberID }
            guard current == memberID else { return .fencedInstanceID }
        }
        return members.contains(memberID) ? nil : .unknownMemberID
    }

    /// The greatest time that a member takes to join again: some, so that a deadline lies ahead.
    var rebalanceTimeout: Int64 {
        members.values.reduce(1) { max($0, $1.rebalanceTimeout) }
    }

    var waitingJoinCount: Int {
        members.values.reduce(0) { $0 + ($1.joinRequest == nil ? 0 : 1) }
    }

    mutating func insert(_ member: Member) {
        members.set(member.id, member)
        if let instanceID = member.instanceID { instances.set(instanceID, member.id) }
        memberBytes += member.size
    }

    /// Takes a member out, without telling it or anybody.
    mutating func extract(_ memberID: String) -> Member? {
        guard let member = members.remove(memberID) else { return nil }
        if let instanceID = member.instanceID, instances[instanceID] == memberID {
            instances.remove(instanceID)
        }
        memberBytes -= member.size
        return member
    }

    /// Lets a member's session begin anew.
    mutating func touch(_ memberID: String, _ turn: inout Turn) {
        guard let index = members.index(of: memberID) else { return }
        touch(at: index, &turn)
    }

    mutating func touch(at index: Int, _ turn: inout Turn) {
        let deadline = turn.now + members.values[index].sessionTimeout
        members.values[index].sessionDeadline = deadline
        turn.wake(at: deadline)
    }

    /// Sets what a member was given.
    mutating func assign(_ assignment: [UInt8], at index: Int) {
        memberBytes += assignment.count - members.values[index].assignment.count
        members.values[index].assignment = assignment
    }

    /// Lets a member wait for the next generation, in place of an earlier request of its.
    mutating func waitForJoin(_ request: RequestID, at index: Int, _ turn: inout Turn) {
        answerWaiting(at: index, .rebalanceInProgress, &turn)
        members.values[index].waiting = .join(request)
        turn.wait(request, in: id)
    }

    /// Answers what a member waits for with an error.
    mutating func answerWaiting(at index: Int, _ error: GroupError, _ turn: inout Turn) {
        let member = members.values[index]
        members.values[index].waiting = .nothing
        Self.answerWaiting(of: member, error, &turn)
    }

    static func answerWaiting(of member: Member, _ error: GroupError, _ turn: inout Turn) {
        switch member.waiting {
        case .nothing: break
        case .join(let request):
            turn.finish(request, .joinGroup(JoinGroup.Answer(error: error, memberID: member.id)))
        case .sync(let request):
            turn.finish(request, .syncGroup(SyncGroup.Answer(error: error)))
        }
    }

    // MARK: Records

    /// Sends records to the log.
    mutating func append(
        _ records: [GroupRecord], _ purpose: PendingAppend.Purpose, _ turn: inout Turn
    ) {
        appendsUnderWay += 1
        if case .commit = purpose {
            offsetsUnderWay += records.count
            offsetBytesUnderWay += Self.offsetBytes(of: records)
        }
        turn.append(records, purpose)
    }

    /// What the offsets of some records take, about.
    static func offsetBytes(of records: [GroupRecord]) -> Int {
        records.reduce(0) { size, record in
            guard case .offset(let group, let partition, let committed?) = record else {
                return size
            }
            return size + group.utf8.count + OffsetTable.size(partition.topic, committed.metadata)
        }
    }

    /// The generation as it stands, for a record.
    ///
    /// - Parameter assignments: Those on their way, by member id; `nil` for those that members have.
    func metadata(assignments: SortedMap<String, [UInt8]>? = nil) -> GroupMetadata {
        GroupMetadata(
            generation: generation, protocolType: protocolType,
            protocolName: phase.agreement?.protocolName, leaderID: phase.agreement?.leaderID,
            stateTime: stateTime,
            members: members.values.map { member in
                var stored = member.stored
                if let assignments { stored.assignment = assignments[member.id] ?? [] }
                return stored
            })
    }

    mutating func enter(_ phase: Phase, _ turn: Turn) {
        self.phase = phase
        stateTime = turn.time.wallTime.rawValue
    }
}
