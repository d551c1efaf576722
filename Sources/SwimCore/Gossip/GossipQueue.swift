// SPDX-License-Identifier: Apache-2.0

/// Which message of a ``GossipQueue``.
public struct BroadcastID: Hashable, Comparable, Sendable {
    /// Grows with each message that is queued.
    public var rawValue: UInt64

    /// A message by its number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The older one is the lesser one.
    public static func < (left: BroadcastID, right: BroadcastID) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// Messages that wait to be gossiped, each until it was sent often enough.
///
/// ```
///   order:  sent least  ◀──────────────────────▶  sent most
///           then longest, then newest              dropped first when there are too many
/// ```
///
/// What is drawn fills a packet in that order, and what does not fit is passed over: new messages
/// go out first, and short ones fill what long ones leave (SWIM 4.1 sends the least sent first).
/// A draw costs a binary search for each message that it takes and each count of transmissions.
public struct GossipQueue: Sendable {
    private struct Key: Comparable, Sendable {
        var transmissions: Int
        var length: Int
        var id: UInt64

        static func < (left: Key, right: Key) -> Bool {
            if left.transmissions != right.transmissions {
                return left.transmissions < right.transmissions
            }
            if left.length != right.length { return left.length > right.length }
            return left.id > right.id
        }
    }

    private struct Entry: Sendable {
        var key: Key
        var name: String?
        var bytes: [UInt8]
        var isTracked: Bool
    }

    private var order: [Key] = []
    private var entries: [UInt64: Entry] = [:]
    private var named: [String: UInt64] = [:]
    private var lastID: UInt64 = 0
    private var finished: [BroadcastID] = []
    private let lengthMax: Int

    /// An empty queue.
    ///
    /// - Parameter lengthMax: What fits in an empty packet. Longer messages could never be drawn and
    ///   would stay for ever, so they are done as soon as they are queued.
    public init(lengthMax: Int = .max) {
        self.lengthMax = lengthMax
    }

    /// How many messages wait.
    public var count: Int { order.count }
    /// Whether none waits.
    public var isEmpty: Bool { order.isEmpty }
    /// The most often that a waiting message was sent; 0 if none waits.
    public var transmissionsMost: Int { order.last?.transmissions ?? 0 }

    /// Queues a message.
    ///
    /// - Parameters:
    ///   - name: Whom it is about. An older message of the same name is dropped: it has been
    ///     overtaken. Messages without a name are never replaced.
    ///   - isTracked: Whether ``takeFinished()`` is to tell when it is done.
    @discardableResult
    public mutating func queue(
        _ bytes: [UInt8], name: String? = nil, isTracked: Bool = false
    ) -> BroadcastID {
        if let name, let older = named[name] { remove(older) }
        lastID += 1
        guard bytes.count <= lengthMax else {
            if isTracked { finished.append(BroadcastID(rawValue: lastID)) }
            return BroadcastID(rawValue: lastID)
        }
        let key = Key(transmissions: 0, length: bytes.count, id: lastID)
        entries[lastID] = Entry(key: key, name: name, bytes: bytes, isTracked: isTracked)
        if let name { named[name] = lastID }
        insert(key)
        return BroadcastID(rawValue: lastID)
    }

    /// Takes messages for one packet, and counts them as sent.
    ///
    /// - Parameters:
    ///   - overhead: What each message costs besides its bytes.
    ///   - budget: What all may cost.
    ///   - limit: How often a message is sent before it is done.
    ///   - countMax: How many messages to take at most.
    public mutating func draw(overhead: Int, budget: Int, limit: Int, countMax: Int) -> [[UInt8]] {
        guard !order.isEmpty else { return [] }
        var drawn: [[UInt8]] = []
        var sent: [Key] = []
        var room = budget
        var transmissions = order[0].transmissions
        while drawn.count < countMax {
            let key = Key(transmissions: transmissions, length: room - overhead, id: .max)
            let position = lowerBound(of: key)
            guard position < order.count else { break }
            let found = order[position]
            guard found.transmissions == transmissions else {
                // None of this count fits. The next count starts here.
                transmissions = found.transmissions
                continue
            }
            order.remove(at: position)
            room -= found.length + overhead
            drawn.append(entries[found.id]?.bytes ?? [])
            sent.append(found)
        }
        // Only now, so that nothing is drawn twice for one packet.
        for key in sent { settle(key, limit: limit) }
        return drawn
    }

    /// Drops messages from the end until no more than so many wait.
    ///
    /// - Parameter keeping: The name whose message is not dropped.
    /// - Returns: How many were dropped.
    @discardableResult
    public mutating func prune(to countMax: Int, keeping name: String? = nil) -> Int {
        var dropped = 0
        var position = order.count - 1
        while order.count > countMax, position >= 0 {
            let id = order[position].id
            if name == nil || entries[id]?.name != name {
                remove(id)
                dropped += 1
            }
            position -= 1
        }
        return dropped
    }

    /// The tracked messages that are done since the last call: sent often enough, replaced or
    /// dropped.
    public mutating func takeFinished() -> [BroadcastID] {
        defer { finished = [] }
        return finished
    }

    private mutating func settle(_ key: Key, limit: Int) {
        guard key.transmissions + 1 < limit else {
            forget(key.id)
            return
        }
        var next = key
        next.transmissions += 1
        entries[key.id]?.key = next
        insert(next)
    }

    private mutating func remove(_ id: UInt64) {
        guard let key = entries[id]?.key else { return }
        let position = lowerBound(of: key)
        precondition(order[position] == key, "message \(id) is not where its key says")
        order.remove(at: position)
        forget(id)
    }

    private mutating func forget(_ id: UInt64) {
        guard let entry = entries.removeValue(forKey: id) else { return }
        if let name = entry.name, named[name] == id { named[name] = nil }
        if entry.isTracked { finished.append(BroadcastID(rawValue: id)) }
    }

    private mutating func insert(_ key: Key) {
        order.insert(key, at: lowerBound(of: key))
    }

    /// The first position whose key is not before this one.
    private func lowerBound(of key: Key) -> Int {
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if order[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Checks what must hold between any two calls.
    public func checkInvariants() {
        precondition(order.count == entries.count, "\(order.count) keys, \(entries.count) messages")
        precondition(named.count <= entries.count, "a name without its message")
        for position in order.indices {
            let key = order[position]
            precondition(position == 0 || order[position - 1] < key, "keys out of order")
            guard let entry = entries[key.id] else {
                preconditionFailure("key \(key.id) without its message")
            }
            precondition(entry.key == key, "message \(key.id) with another key")
            precondition(entry.bytes.count == key.length, "message \(key.id) of another length")
            if let name = entry.name {
                precondition(named[name] == key.id, "\(name) is queued twice")
            }
        }
    }
}
