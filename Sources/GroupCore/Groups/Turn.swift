// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Records

/// What all groups share while one input is worked off: the time, the effects, what is under way.
struct Turn: Sendable {
    let settings: GroupSettings
    var time = GroupTime(milliseconds: 0, wallTime: .init(milliseconds: 0))
    var generator: SplitMix64
    var effects: [GroupCore.Effect] = []
    /// The appends that are under way, in order.
    private(set) var appends: [PendingAppend] = []
    private var lastToken: UInt64 = 0
    /// The joins and syncs that wait, and in which group.
    private(set) var waiting: [RequestID: String] = [:]
    /// The earliest time at which the group at hand wants to be looked at, of what it asked for since
    /// this was `nil`.
    var wakeTime: Int64?

    init(settings: GroupSettings, seed: UInt64) {
        self.settings = settings
        generator = SplitMix64(seed: seed)
    }

    /// The monotonic clock.
    var now: Int64 { time.milliseconds }

    /// Asks for the group at hand to be looked at.
    mutating func wake(at deadline: Int64) {
        wakeTime = min(wakeTime ?? deadline, deadline)
    }

    mutating func observe(_ observation: GroupObservation) {
        effects.append(.observe(observation))
    }

    mutating func answer(_ request: RequestID, _ response: GroupResponse) {
        effects.append(.answer(request, response))
    }

    // MARK: Requests that wait for other members

    mutating func wait(_ request: RequestID, in group: String) {
        waiting[request] = group
    }

    /// Answers a request that waits, or would have.
    mutating func finish(_ request: RequestID, _ response: GroupResponse) {
        waiting[request] = nil
        answer(request, response)
    }

    /// Forgets a request that waits, and says in which group it does.
    mutating func abandon(_ request: RequestID) -> String? {
        waiting.removeValue(forKey: request)
    }

    // MARK: Appends

    mutating func append(_ records: [GroupRecord], _ purpose: PendingAppend.Purpose) {
        precondition(!records.isEmpty, "an append has records")
        lastToken += 1
        let token = AppendToken(rawValue: lastToken)
        appends.append(PendingAppend(token: token, records: records, purpose: purpose))
        effects.append(.append(records, token))
    }

    /// Takes out an append that has ended.
    mutating func endAppend(_ token: AppendToken) -> PendingAppend {
        precondition(
            appends.first?.token == token,
            "append \(token.rawValue) ended, but \(String(describing: appends.first?.token)) is first"
        )
        return appends.removeFirst()
    }

    /// The partitions that a group's commits under way are about, as far as a condition holds.
    func partitionsUnderWay(
        in group: String, where holds: (CommittedOffset) -> Bool = { _ in true }
    ) -> [TopicPartition] {
        var found: [TopicPartition] = []
        var seen: Set<TopicPartition> = []
        for append in appends where append.group == group {
            for case .offset(_, let partition, let committed?) in append.records
            where holds(committed) && seen.insert(partition).inserted {
                found.append(partition)
            }
        }
        return found
    }

    /// The topics whose offsets are about to be forgotten.
    var topicsUnderDeletion: [UInt128] {
        appends.compactMap { append in
            if case .topicDeletion(let topicID) = append.purpose { topicID } else { nil }
        }
    }

    /// A member id that was never given before: the client's name or instance, and 122 random bits.
    mutating func makeMemberID(_ request: JoinGroup) -> String {
        let high = generator.next() & 0xffff_ffff_ffff_0fff | 0x4000
        let low = generator.next() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
        func digits(_ value: UInt64, _ count: Int) -> String {
            let text = String(value & (~0 >> (64 - 4 * UInt64(count))), radix: 16)
            return String(repeating: "0", count: count - text.count) + text
        }
        let random = [
            digits(high >> 32, 8), digits(high >> 16, 4), digits(high, 4), digits(low >> 48, 4),
            digits(low, 12),
        ]
        return (request.instanceID ?? request.clientID) + "-" + random.joined(separator: "-")
    }
}

/// Records on their way to the log, and what is to be done once they are there or are not.
struct PendingAppend: Sendable {
    enum Purpose: Sendable {
        /// The assignments of a generation.
        case assignments(group: String, generation: Int32)
        /// A static member's new id, for the request that waits for it.
        case replacement(Replacement)
        /// A generation without members, which nobody waits for.
        case emptiness(group: String)
        case commit(RequestID, group: String, errors: [GroupError?])
        case offsetDelete(RequestID, group: String, errors: [GroupError?])
        /// A group that somebody wants to be deleted: one of those of a request.
        case deletion(RequestID, group: String, row: Int)
        /// A group of which nothing is left but its generation.
        case removal(group: String)
        /// Offsets that have grown too old.
        case expiry(group: String, count: Int)
        /// Offsets of a topic that is gone.
        case topicDeletion(UInt128)
    }

    /// A static member that came back under a new id.
    struct Replacement: Sendable {
        var group: String
        var generation: Int32
        var request: RequestID
        var newID: String
        /// The member as it was.
        var replaced: Member
        var supportsSkippingAssignment: Bool
    }

    var token: AppendToken
    var records: [GroupRecord]
    var purpose: Purpose

    /// The group that the append keeps in memory; `nil` for one of many groups.
    var group: String? {
        switch purpose {
        case .assignments(let group, _), .emptiness(let group), .removal(let group),
            .expiry(let group, _), .commit(_, let group, _), .offsetDelete(_, let group, _),
            .deletion(_, let group, _):
            group
        case .replacement(let replacement): replacement.group
        case .topicDeletion: nil
        }
    }
}
