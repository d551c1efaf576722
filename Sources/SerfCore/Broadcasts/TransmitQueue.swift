// SPDX-License-Identifier: Apache-2.0

/// Messages that wait to be gossiped, each until it was sent often enough.
///
/// The least sent goes first, then the longest, then the newest, so that the news gets out and packets
/// are filled. Messages never replace one another. Beyond the depth the most sent is dropped, the
/// oldest of those first.
struct TransmitQueue: Sendable {
    /// What waits.
    struct Entry: Sendable, Equatable {
        /// From the memberlist's type byte on.
        var message: [UInt8]
        /// Counts up with each message: the newer it is, the greater.
        var number: UInt64
        /// Whether somebody wants to know when it was sent often enough.
        var isAwaited: Bool
    }

    let depthMax: Int
    /// By how often they were sent; each from the longest to the shortest, and then from new to old.
    private var tiers: [[Entry]] = []
    private var lastNumber: UInt64 = 0
    private(set) var count = 0
    /// Awaited messages that have left the queue since this was emptied.
    private(set) var finished: [UInt64] = []

    init(depthMax: Int) {
        self.depthMax = max(1, depthMax)
    }

    var isEmpty: Bool { count == 0 }

    /// Queues a message.
    ///
    /// - Returns: Its number, and how many were dropped to make room.
    mutating func add(
        _ message: [UInt8], isAwaited: Bool = false
    ) -> (number: UInt64, dropped: Int) {
        lastNumber += 1
        insert(Entry(message: message, number: lastNumber, isAwaited: isAwaited), tier: 0)
        var dropped = 0
        while count > depthMax {
            dropMostSent()
            dropped += 1
        }
        return (lastNumber, dropped)
    }

    /// Draws messages for one packet.
    ///
    /// - Parameters:
    ///   - overhead: What each costs beside its own bytes.
    ///   - budget: Reduced by what was drawn.
    ///   - limit: How often a message is sent.
    ///   - messages: Appended to.
    mutating func draw(
        overhead: Int, budget: inout Int, limit: Int, into messages: inout [[UInt8]]
    ) {
        var drawn: [(entry: Entry, tier: Int)] = []
        for tier in tiers.indices {
            var place = 0
            while true {
                place = firstFitting(budget - overhead, from: place, tier: tier)
                guard place < tiers[tier].count else { break }
                let entry = tiers[tier].remove(at: place)
                budget -= entry.message.count + overhead
                messages.append(entry.message)
                drawn.append((entry, tier))
            }
        }
        count -= drawn.count
        for (entry, tier) in drawn {
            if tier + 1 < limit {
                insert(entry, tier: tier + 1)
            } else if entry.isAwaited {
                finished.append(entry.number)
            }
        }
        trim()
    }

    /// The awaited messages that have left the queue since this was asked last.
    mutating func takeFinished() -> [UInt64] {
        guard !finished.isEmpty else { return [] }
        defer { finished = [] }
        return finished
    }

    private mutating func insert(_ entry: Entry, tier: Int) {
        while tiers.count <= tier { tiers.append([]) }
        let place = Self.partition(tiers[tier], from: 0) { other in
            (other.message.count, other.number) < (entry.message.count, entry.number)
        }
        tiers[tier].insert(entry, at: place)
        count += 1
    }

    private func firstFitting(_ size: Int, from place: Int, tier: Int) -> Int {
        Self.partition(tiers[tier], from: place) { $0.message.count <= size }
    }

    /// The first place from which on a condition holds, if it holds for all behind one for which it
    /// does.
    private static func partition(
        _ entries: [Entry], from start: Int, where holds: (Entry) -> Bool
    ) -> Int {
        var (low, high) = (start, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if holds(entries[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private mutating func dropMostSent() {
        trim()
        guard let tier = tiers.indices.last,
            let oldest = tiers[tier].indices.min(by: { left, right in
                tiers[tier][left].number < tiers[tier][right].number
            })
        else { return }
        let entry = tiers[tier].remove(at: oldest)
        count -= 1
        if entry.isAwaited { finished.append(entry.number) }
        trim()
    }

    private mutating func trim() {
        while tiers.last?.isEmpty == true { tiers.removeLast() }
    }

    func checkInvariants() {
        precondition(count <= depthMax, "\(count) messages wait; at most \(depthMax)")
        precondition(
            count == tiers.reduce(0) { $0 + $1.count }, "\(count) messages counted wrongly")
        for tier in tiers {
            for (left, right) in zip(tier, tier.dropFirst()) {
                precondition(
                    (left.message.count, left.number) > (right.message.count, right.number),
                    "messages are out of order")
            }
        }
    }
}
