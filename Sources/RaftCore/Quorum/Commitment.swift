// SPDX-License-Identifier: Apache-2.0

/// Decides what is committed.
///
/// Nothing but numbers: for each voter the last entry that it is known to have on its disk.
///
/// ```
/// entry    1  2  3  4  5  6  7
/// a        ■  ■  ■  ■  ■  ■  ■      7
/// b        ■  ■  ■  ■  ■            5   ◀── two of three have it: 5
/// c        ■  ■  ■                  3
/// ```
///
/// In a joint configuration both majorities have to have an entry. And it has to be of the leader's
/// own term: an older one that a majority has can still be overwritten, unless one of the leader's
/// own stands behind it (Raft 5.4.2, figure 8).
struct Commitment {
    /// What each voter has.
    var voters: [UInt64]
    /// What each voter of the configuration that is being left has; empty if it is not joint.
    var outgoing: [UInt64]
    /// The first entry of the leader's own term.
    var firstOfTerm: UInt64
    /// The last entry of the leader's log: nothing is committed that the leader cannot read.
    var last: UInt64

    /// The last committed entry, which is never before `commit`, the one known until now.
    func index(after commit: UInt64) -> UInt64 {
        let reached = min(last, Self.reached(voters: voters, outgoing: outgoing))
        guard reached >= firstOfTerm, reached > commit else { return commit }
        return reached
    }

    /// The highest number that both majorities have reached.
    static func reached(voters: [UInt64], outgoing: [UInt64]) -> UInt64 {
        outgoing.isEmpty
            ? reached(byMajorityOf: voters)
            : min(reached(byMajorityOf: voters), reached(byMajorityOf: outgoing))
    }

    /// The highest number that more than half have reached; 0 of nobody.
    static func reached(byMajorityOf numbers: [UInt64]) -> UInt64 {
        switch numbers.count {
        case 0: return 0
        case 1: return numbers[0]
        default:
            // Of n in ascending order, those from (n - 1) / 2 on are a majority.
            return numbers.sorted()[(numbers.count - 1) / 2]
        }
    }
}
