// SPDX-License-Identifier: Apache-2.0

internal import SerfWire
internal import SwimCore

/// All members that are known, and how many there are of each status.
struct MemberTable: Sendable {
    private var table = NamedTable<MemberRecord>()
    private var counts = [Int](repeating: 0, count: 5)

    /// How many members are known.
    var count: Int { table.count }

    /// All of them, in an order without meaning.
    var records: [MemberRecord] { table.elements }

    /// The record of a name.
    ///
    /// Setting `nil` forgets it.
    subscript(name: String) -> MemberRecord? {
        get { table[name] }
        set {
            if let status = table[name]?.member.status { counts[Int(status.rawValue)] -= 1 }
            if let status = newValue?.member.status { counts[Int(status.rawValue)] += 1 }
            table[name] = newValue
        }
    }

    /// Changes a record; `nil` if nobody has the name.
    mutating func change<Result>(
        _ name: String, _ body: (inout MemberRecord) -> Result
    ) -> Result? {
        var before = MemberStatus.alive
        var after = MemberStatus.alive
        let result = table.change(name) { record in
            before = record.member.status
            defer { after = record.member.status }
            return body(&record)
        }
        counts[Int(before.rawValue)] -= 1
        counts[Int(after.rawValue)] += 1
        return result
    }

    /// How many have a status.
    func count(of status: MemberStatus) -> Int { counts[Int(status.rawValue)] }

    /// The names of those with a status, in an order without meaning.
    func names(of status: MemberStatus) -> [String] {
        guard count(of: status) > 0 else { return [] }
        return table.elements.compactMap { $0.member.status == status ? $0.member.name : nil }
    }

    /// The table is in order, and its counts are true.
    func checkInvariants() {
        table.checkInvariants()
        for status in MemberStatus.allCases {
            let actual = table.elements.count { $0.member.status == status }
            precondition(
                counts[Int(status.rawValue)] == actual,
                "\(counts[Int(status.rawValue)]) counted as \(status), \(actual) are")
        }
    }
}
