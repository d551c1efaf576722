// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import GroupCore

/// The log of a coordinator: what is in it, and what is on its way.
struct GroupHistoryLog {
    enum Fate {
        case durable
        /// Reported as failed, and not written.
        case lost
        /// Reported as failed, and written all the same.
        case written
    }

    struct Append {
        var token: AppendToken
        /// What the coordinator asked for, and what is really written.
        var records: [GroupRecord]
        var written: [GroupRecord]
        var endsAt: Int64
        var fate: Fate
    }

    struct Fact {
        var key: [UInt8]
        var value: [UInt8]?
    }

    private(set) var facts: [Fact] = []
    var underWay: [Append] = []
    /// Whether the log holds something that the coordinator was told it does not.
    private(set) var isAmbiguous = false

    /// The records as a coordinator reads them.
    func records() throws(Violation) -> [GroupRecord] {
        var records: [GroupRecord] = []
        for fact in facts {
            do throws(GroupRecordError) {
                records.append(try GroupRecord(key: fact.key, value: fact.value))
            } catch {
                throw Violation("a record of ours cannot be read: \(error)")
            }
        }
        return records
    }

    mutating func write(_ append: Append) {
        switch append.fate {
        case .lost:
            // Offsets of a topic that is gone are forgotten whatever becomes of their records.
            isAmbiguous = isAmbiguous || append.records.contains { $0.value == nil }
            return
        case .written: isAmbiguous = true
        case .durable: break
        }
        facts += append.written.map { Fact(key: $0.key, value: $0.value) }
    }

    /// Puts a snapshot in the place of all that is in the log.
    mutating func rewrite(_ records: [GroupRecord]) {
        facts = records.map { Fact(key: $0.key, value: $0.value) }
        isAmbiguous = false
    }

    /// Loses or keeps what is under way, and forgets that a coordinator waited for it.
    ///
    /// - Parameter written: How many appends reached the disk.
    mutating func crash(written: Int) -> Int {
        for append in underWay.prefix(written) { write(append) }
        let lost = underWay.count - written
        underWay = []
        return lost
    }

    /// The log as one knows it who starts from it.
    mutating func adopt() { isAmbiguous = false }

    var digest: UInt64 {
        facts.reduce(UInt64(facts.count)) { digest, fact in
            (digest &* 31 ^ UInt64(CRC32C.checksum(fact.key))) &* 31
                ^ UInt64(CRC32C.checksum(fact.value ?? [0xff]))
        }
    }
}
