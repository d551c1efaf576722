// SPDX-License-Identifier: Apache-2.0

/// All groups, found by hash and walked through by id.
struct GroupTable: Sendable {
    /// The ids, ascending.
    private(set) var ids: [String] = []
    // Looked up only: its order is another one in each process.
    private var groups: [String: Group] = [:]

    var count: Int { ids.count }

    subscript(id: String) -> Group? { groups[id] }

    func contains(_ id: String) -> Bool { groups.index(forKey: id) != nil }

    /// Changes a group in place; `nil` if it is not there.
    @discardableResult
    mutating func change<Result>(_ id: String, _ body: (inout Group) -> Result) -> Result? {
        guard let index = groups.index(forKey: id) else { return nil }
        return body(&groups.values[index])
    }

    mutating func insert(_ group: Group) {
        guard groups.updateValue(group, forKey: group.id) == nil else { return }
        ids.insert(group.id, at: place(of: group.id))
    }

    mutating func remove(_ id: String) {
        guard groups.removeValue(forKey: id) != nil else { return }
        ids.remove(at: place(of: id))
    }

    /// The index of the first id that is not before this one.
    func place(of id: String) -> Int {
        var low = 0
        var high = ids.count
        while low < high {
            let middle = (low + high) / 2
            if ids[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
