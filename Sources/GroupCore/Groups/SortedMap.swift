// SPDX-License-Identifier: Apache-2.0

/// A map in the order of its keys, so that walking through it is the same in every process.
///
/// Finding is a binary search; inserting and removing move what lies behind.
struct SortedMap<Key: Comparable & Sendable, Value: Sendable>: Sendable {
    private(set) var keys: [Key] = []
    /// The values in the order of their keys: to be changed in place, never added to.
    var values: [Value] = []

    var count: Int { keys.count }
    var isEmpty: Bool { keys.isEmpty }

    /// The index of a key; `nil` if it is not there.
    func index(of key: Key) -> Int? {
        let index = place(of: key)
        return index < keys.count && keys[index] == key ? index : nil
    }

    func contains(_ key: Key) -> Bool { index(of: key) != nil }

    /// The value of a key.
    subscript(key: Key) -> Value? { index(of: key).map { values[$0] } }

    /// Sets the value of a key and returns what it was before.
    @discardableResult
    mutating func set(_ key: Key, _ value: Value) -> Value? {
        let index = place(of: key)
        if index < keys.count, keys[index] == key {
            let old = values[index]
            values[index] = value
            return old
        }
        keys.insert(key, at: index)
        values.insert(value, at: index)
        return nil
    }

    /// Takes a key out and returns its value.
    @discardableResult
    mutating func remove(_ key: Key) -> Value? {
        guard let index = index(of: key) else { return nil }
        keys.remove(at: index)
        return values.remove(at: index)
    }

    /// The index of the first key that is not before `key`.
    func place(of key: Key) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
