// SPDX-License-Identifier: Apache-2.0

public import CommitLog
public import RaftCore
public import Records

/// What a replica wants done that it cannot do by itself, in the order given.
public enum ReplicaOutput: Sendable {
    /// Give a peer a message.
    case send(PeerMessage)
    /// Read entries, on whatever thread, and hand them to ``Replica/finish(_:with:into:)``.
    case read(StoredRequest, EntryReader)
    /// Make term and vote durable; then call ``Replica/hardStateSaved(version:into:)``.
    case saveHardState(HardState, version: UInt64)
    /// Something was written that has to be synced (``Replica/beginSync()``).
    ///
    /// Not said of what ``Replica/append(_:bytes:expecting:now:into:)`` writes: who calls it knows.
    case wrote
    /// All entries up to here are committed, and the log's snapshot shows their records.
    case committed(LogIndex)
    /// The role, the leader or the term is another one.
    ///
    /// A replica that leads no more cannot say what becomes of entries that it has not committed.
    case roleChanged(RoleReport)
    case membersChanged(Configuration)
    case readReady(ReadID, LogIndex)
    case readFailed(ReadID)
    case changeEnded(ChangeRefusal?)
    case transferEnded
    /// The disk has no room; what was to be written is not in the log.
    case diskFull(LogError)
    /// The log has failed: this replica takes part in nothing until it is opened anew.
    case failed(LogError)
    case observed(Observation)
}

/// What a replica is opened with.
public struct ReplicaSettings: Sendable {
    /// Who it is.
    public var id: ReplicaID
    /// Its group.
    public var group: GroupID
    /// The members that the group begins with; what the log says counts more.
    public var bootstrap: Configuration
    /// The log's settings; what is committed is the replica's to say.
    public var log: LogSettings
    /// The core's settings.
    public var raft = RaftSettings()
    /// Whether what is written counts as durable before it is synced.
    public var isRelaxed = false
    /// The page cache may have been lost since the replica was closed in disorder.
    public var mayHaveLostEntries = false
    /// Bytes of the last entries' content that are kept in memory for followers.
    public var cacheBytesMax = 8 << 20
    /// How far the log may grow beyond what retention keeps, for the sake of a live follower that
    /// lacks its first entries, in bytes.
    public var lagBytesMax: UInt64 = 256 << 20

    /// A replica of a group.
    public init(id: ReplicaID, group: GroupID, bootstrap: Configuration, log: LogSettings) {
        self.id = id
        self.group = group
        self.bootstrap = bootstrap
        self.log = log
        self.log.commitRule = .byCaller
        // Others have what is damaged here.
        self.log.isMended = bootstrap.members != [id]
    }
}
