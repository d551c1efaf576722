// SPDX-License-Identifier: Apache-2.0

public import Records

/// How far a group has come in a partition.
public struct CommittedOffset: Sendable, Hashable {
    /// The topic's id, so that a topic of the same name that is made later begins anew; 0 if unknown.
    public var topicID: UInt128
    /// The next record that the group is to be given.
    public var offset: Offset
    /// The leader epoch of the last record that the consumer was given; -1 if unknown.
    public var leaderEpoch: Int32
    /// What the consumer wrote beside it.
    public var metadata: String
    /// When the coordinator took it.
    public var commitTime: Timestamp
    /// When it may be forgotten, if the consumer said so: versions 2 to 4 can.
    public var expireTime: Timestamp?

    public init(
        topicID: UInt128, offset: Offset, leaderEpoch: Int32 = -1, metadata: String = "",
        commitTime: Timestamp, expireTime: Timestamp? = nil
    ) {
        self.topicID = topicID
        self.offset = offset
        self.leaderEpoch = leaderEpoch
        self.metadata = metadata
        self.commitTime = commitTime
        self.expireTime = expireTime
    }
}

/// Commits offsets.
///
/// The caller has seen to it that the topics and partitions are there.
public struct OffsetCommit: Sendable, Equatable {
    /// An offset to commit.
    public struct Entry: Sendable, Equatable {
        public var topic: String
        public var topicID: UInt128
        public var partition: Int32
        public var offset: Offset
        public var leaderEpoch: Int32
        public var metadata: String

        public init(
            topic: String, topicID: UInt128, partition: Int32, offset: Offset,
            leaderEpoch: Int32 = -1, metadata: String = ""
        ) {
            self.topic = topic
            self.topicID = topicID
            self.partition = partition
            self.offset = offset
            self.leaderEpoch = leaderEpoch
            self.metadata = metadata
        }
    }

    public var groupID: String
    /// -1 for a consumer that takes no part in a group, and for tools.
    public var generation: Int32
    public var memberID: String
    public var instanceID: String?
    /// Milliseconds that the offsets are to be kept, in versions 2 to 4; `nil` for -1 and elsewhere.
    public var retention: Int64?
    public var entries: [Entry]

    public init(
        groupID: String, generation: Int32 = -1, memberID: String = "", instanceID: String? = nil,
        retention: Int64? = nil, entries: [Entry]
    ) {
        self.groupID = groupID
        self.generation = generation
        self.memberID = memberID
        self.instanceID = instanceID
        self.retention = retention
        self.entries = entries
    }

    /// The error of each entry, in the request's order; `nil` for one that is durable.
    public struct Answer: Sendable, Equatable {
        public var errors: [GroupError?]

        public init(errors: [GroupError?]) { self.errors = errors }
    }
}

/// Asks for committed offsets.
public struct OffsetFetch: Sendable, Equatable {
    /// Partitions of a topic.
    public struct Topic: Sendable, Equatable {
        public var name: String
        public var partitions: [Int32]

        public init(name: String, partitions: [Int32]) {
            self.name = name
            self.partitions = partitions
        }
    }

    public var groupID: String
    /// `nil` for all that the group has committed.
    public var topics: [Topic]?

    public init(groupID: String, topics: [Topic]?) {
        self.groupID = groupID
        self.topics = topics
    }

    /// What is committed of a partition; `nil` for nothing.
    public struct Row: Sendable, Equatable {
        public var partition: Int32
        public var committed: CommittedOffset?

        public init(partition: Int32, committed: CommittedOffset?) {
            self.partition = partition
            self.committed = committed
        }
    }

    /// What is committed of a topic.
    public struct TopicRows: Sendable, Equatable {
        public var name: String
        public var rows: [Row]

        public init(name: String, rows: [Row]) {
            self.name = name
            self.rows = rows
        }
    }

    /// The topics and partitions in the request's order, or by name and number.
    ///
    /// A group that is not there has committed nothing.
    public struct Answer: Sendable, Equatable {
        public var error: GroupError?
        public var topics: [TopicRows] = []

        public init(error: GroupError? = nil, topics: [TopicRows] = []) {
            self.error = error
            self.topics = topics
        }
    }
}

/// Forgets committed offsets of partitions that no member is subscribed to.
public struct OffsetDelete: Sendable, Equatable {
    /// A partition to forget.
    public struct Entry: Sendable, Equatable {
        public var topic: String
        public var partition: Int32

        public init(topic: String, partition: Int32) {
            self.topic = topic
            self.partition = partition
        }
    }

    public var groupID: String
    public var entries: [Entry]

    public init(groupID: String, entries: [Entry]) {
        self.groupID = groupID
        self.entries = entries
    }

    /// The error of each entry, in the request's order; `nil` for one that is gone.
    public struct Answer: Sendable, Equatable {
        /// Of the request as a whole; then there are no others.
        public var error: GroupError?
        public var errors: [GroupError?] = []

        public init(error: GroupError? = nil, errors: [GroupError?] = []) {
            self.error = error
            self.errors = errors
        }
    }
}
