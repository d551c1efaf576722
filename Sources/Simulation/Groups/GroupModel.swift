// SPDX-License-Identifier: Apache-2.0

internal import GroupCore

/// What a group must do, as seen from outside: kept in the plainest way there is.
struct GroupModel: Sendable {
    /// What may be read of a partition: values in the order in which they went to the log.
    struct Partition: Sendable {
        struct Candidate: Sendable, Equatable {
            /// Every commit has another value; `nil` for what was forgotten.
            var value: Int64?
            var token: AppendToken?
        }

        /// The first is durable as far as anybody was told; the others are on their way.
        var candidates = [Candidate(value: nil, token: nil)]

        /// What went to the log with an append is durable: nothing before it can be read again.
        mutating func settle(_ token: AppendToken) {
            let last = candidates.lastIndex { candidate in
                candidate.token.map { $0 <= token } ?? false
            }
            if let last { candidates.removeFirst(last) }
        }

        /// A value was read: it is durable.
        ///
        /// - Returns: Whether it may be read.
        mutating func read(_ value: Int64?) -> Bool {
            guard let index = candidates.firstIndex(where: { $0.value == value }) else {
                return false
            }
            candidates.removeFirst(index)
            return true
        }
    }

    /// Counts how often the group was forgotten: its generations count from 1 again.
    var incarnation = 0
    /// The latest generation that is durable as far as anybody was told.
    var durableGeneration: Int32 = 0
    /// The latest generation in which a member was given an assignment.
    var syncedGeneration: Int32 = 0
    /// The owners of partitions in it: a member's id, or a static member's name.
    var owners: [String?]
    /// The ids under which static members were given assignments last.
    var instances: [String: String] = [:]
    var partitions: [Partition]
    /// When the coordinator last heard of a member, by its id.
    var heardOf: [String: (time: Int64, sessionTimeout: Int64)] = [:]

    init(partitionCount: Int) {
        partitions = Array(repeating: Partition(), count: partitionCount)
        owners = Array(repeating: nil, count: partitionCount)
    }

    /// The group is forgotten, but for nothing that was committed.
    mutating func forget() {
        incarnation += 1
        owners = owners.map { _ in nil }
        syncedGeneration = 0
        durableGeneration = 0
        instances = [:]
        heardOf = [:]
    }

    /// A member was given partitions.
    mutating func own(
        _ assigned: [Int32], _ owner: String, _ generation: Int32
    ) throws(Violation) {
        guard generation <= durableGeneration else {
            throw Violation(
                "\(owner) is given an assignment of generation \(generation), which is not durable")
        }
        guard generation >= syncedGeneration else {
            throw Violation(
                "\(owner) is given an assignment of generation \(generation) after \(syncedGeneration)"
            )
        }
        if generation > syncedGeneration { owners = owners.map { _ in nil } }
        syncedGeneration = generation
        for partition in assigned {
            if let former = owners[Int(partition)], former != owner {
                throw Violation(
                    "partition \(partition) has two owners in generation \(generation): "
                        + "\(former) and \(owner)")
            }
            owners[Int(partition)] = owner
        }
    }
}

/// How often what happened in histories of groups: one that never crashes proves little.
public struct GroupHistoryCounts: Sendable, Equatable {
    public var requests = 0
    public var losses = 0
    public var duplicates = 0
    public var generations = 0
    public var assignments = 0
    public var commits = 0
    public var fencedCommits = 0
    public var replacements = 0
    public var skippedAssignments = 0
    public var fencedMembers = 0
    public var deadMembers = 0
    public var slowMembers = 0
    public var appendFailures = 0
    public var crashes = 0
    public var lostAppends = 0
    public var rewrites = 0
    public var forgottenGroups = 0
    public var deletions = 0
    public var topicDeletions = 0
    public var expiries = 0
    public var pauses = 0
    public var closedConnections = 0

    /// No events.
    public init() {}

    /// The sums of two counts.
    public static func + (left: GroupHistoryCounts, right: GroupHistoryCounts) -> GroupHistoryCounts
    {
        var sum = left
        for event in all { sum[keyPath: event.path] += right[keyPath: event.path] }
        return sum
    }

    private static var all: [(name: String, path: WritableKeyPath<GroupHistoryCounts, Int>)] {
        [
            ("requests", \.requests), ("lost messages", \.losses),
            ("duplicate requests", \.duplicates), ("generations", \.generations),
            ("assignments", \.assignments), ("commits", \.commits),
            ("fenced commits", \.fencedCommits), ("replaced static members", \.replacements),
            ("skipped assignments", \.skippedAssignments), ("fenced members", \.fencedMembers),
            ("dead members", \.deadMembers), ("slow members", \.slowMembers),
            ("failed appends of groups", \.appendFailures), ("coordinator crashes", \.crashes),
            ("appends lost in crashes", \.lostAppends), ("rewritten logs", \.rewrites),
            ("forgotten groups", \.forgottenGroups), ("group deletions", \.deletions),
            ("topic deletions", \.topicDeletions), ("expired offsets", \.expiries),
            ("paused members", \.pauses), ("closed connections", \.closedConnections),
        ]
    }

    /// The events and their numbers, in a fixed order.
    public var lines: [(name: String, count: Int)] {
        Self.all.map { ($0.name, self[keyPath: $0.path]) }
    }
}
