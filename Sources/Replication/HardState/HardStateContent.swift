// SPDX-License-Identifier: Apache-2.0

internal import Disk

/// What a journal says, record by record: the last word on each group.
struct HardStateContent {
    private(set) var records: [GroupID: HardStateRecord] = [:]
    /// The groups in the order in which they came, so that equal histories give equal files; among
    /// them such as are forgotten.
    private var order: [GroupID] = []
    private var isInOrder: Set<GroupID> = []

    /// The last record of each group, in the order in which the groups came.
    var last: [HardStateRecord] { order.compactMap { records[$0] } }

    mutating func note(_ record: HardStateRecord) {
        guard !record.isHead else { return }
        guard !record.isForgotten else {
            records[record.group] = nil
            return
        }
        records[record.group] = record
        if isInOrder.insert(record.group).inserted { order.append(record.group) }
    }

    /// Drops the groups that are forgotten from the order.
    mutating func tidy() {
        order.removeAll { records[$0] == nil }
        isInOrder = Set(order)
    }

    /// A file of these records: a head, which vouches for all of them, the records, and room for more.
    ///
    /// - Parameter reserve: How many bytes of empty places to add.
    func file(reserve: Int) -> (bytes: [UInt8], count: UInt64) {
        let last = last
        let count = UInt64(last.count) + 1
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(count) * HardStateRecord.size + reserve)
        HardStateRecord.head.append(to: &bytes, number: 0, synced: count)
        for (number, record) in last.enumerated() {
            record.append(to: &bytes, number: UInt64(number) + 1, synced: count)
        }
        bytes.append(contentsOf: repeatElement(0, count: reserve))
        return (bytes, count)
    }

    /// Reads a file.
    ///
    /// - Throws: ``HardStateError/promiseLost(path:record:)`` where a record is bad that was, or may
    ///   have been, told to others.
    init(_ bytes: [UInt8], path: String) throws(HardStateError) {
        self.init()
        var firstEmpty: UInt64?
        var synced: UInt64 = 1
        var number: UInt64 = 0
        var start = 0
        while start < bytes.count {
            let end = min(start + HardStateRecord.size, bytes.count)
            switch HardStateRecord.read(bytes[start..<end], number: number) {
            case .record(let record, let stated):
                guard record.isHead == (number == 0) else {
                    throw .promiseLost(path: path, record: number)
                }
                synced = max(synced, stated)
                // What stands behind an empty place was written after it, and synced no sooner.
                if firstEmpty == nil { note(record) }
            case .empty: firstEmpty = firstEmpty ?? number
            case .damaged: throw .promiseLost(path: path, record: number)
            case .unsupported(let version):
                throw .unsupportedFormat(path: path, version: version)
            }
            number += 1
            start = end
        }
        // Up to here all was synced, so nothing of it may be empty or beyond the end.
        let present = firstEmpty ?? number
        if present < synced { throw .promiseLost(path: path, record: present) }
    }

    init() {}
}
