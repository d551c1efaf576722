// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import RaftCore
public import Records

// What a replica's log may forget.
extension Replica {
    /// Moves the log's start past the segments that its settings no longer keep, and tells the core.
    ///
    /// Only what is committed goes; and of that a leader keeps what its slowest live follower has not
    /// got yet, up to a bound, so that a follower that is a little behind need not begin anew.
    public func applyRetention(now: Timestamp, into outputs: inout [ReplicaOutput]) {
        log.applyRetention(now: now, keepingFrom: firstNeeded)
        noteLogStart(now: now, into: &outputs)
    }

    /// The first entry that a live follower lacks; `nil` if nobody lacks any, or if the log has grown so
    /// much beyond what its settings keep that nobody is waited for any more.
    private var firstNeeded: LogIndex? {
        guard raft.role == .leader else { return nil }
        if let kept = log.settings.retentionSize, log.size > kept &+ lagBytesMax { return nil }
        return raft.followers.filter(\.isActive).map(\.match.next).min()
    }

    /// Tells the core that entries are gone from the front of the log.
    ///
    /// To be called at once after anything but a call of the replica has moved the log's start.
    public func noteLogStart(now: Timestamp, into outputs: inout [ReplicaOutput]) {
        guard let moved = moveCacheStart() else { return }
        step(moved, now: now, into: &outputs)
    }

    /// Forgets what is gone from the front of the log; what the core is to be told, if anything is.
    func moveCacheStart() -> Input? {
        let gone = log.firstIndex.previous
        guard gone > raft.startIndex else { return nil }
        cache.removeFirst(through: gone)
        return .logStartMoved(lastGone: gone)
    }
}
