// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import RaftCore
public import Records

// What becomes of entries, for those who wait to hear of it.
extension Replica {
    /// What is known of an entry that was appended here.
    public enum Fate: Sendable, Equatable {
        /// Nothing yet: it is in the log, and may be committed or taken back.
        case open
        /// It is committed: all that follow from it are true for ever.
        case committed
        /// It is not in this log any more, or cannot be told from another one. It may be in others, so
        /// nobody may say that it is lost; who appended it has to look, or to append it again.
        case unknown
    }

    /// What is known of an entry, by index and term: the index alone says nothing, since another
    /// leader's entry may have taken the place.
    ///
    /// To be asked again after ``ReplicaOutput/committed(_:)`` and whenever entries were taken back.
    public func fate(of index: LogIndex, _ term: Term) -> Fate {
        guard index > raft.startIndex, index <= raft.lastIndex, raft.term(at: index) == term else {
            return .unknown
        }
        return index <= raft.commit ? .committed : .open
    }

    /// The place at which a duplicate counts as committed: its original is there or before.
    public var lastPlace: (index: LogIndex, term: Term) { (raft.lastIndex, log.lastTerm) }
}
