// SPDX-License-Identifier: Apache-2.0

internal import SerfCore
internal import SerfWire

/// Every user event reaches each member once.
///
/// At most once: in one life, always. At least once: at a member that was there and not in the midst of
/// joining when the event was sent, and whose life has not ended since; as long as some live member
/// has it, and it is not older than what the members remember. Gossip may miss a member; push/pull
/// brings the event later.
struct DeliveryOracle {
    private struct Sent {
        var at: Int64
        /// The event clock's time; `nil` until its sender has delivered it.
        var time: UInt64?
    }

    private struct Hearer {
        var isUp = false
        var delivered: [Bool] = []
        /// Events sent before this are not owed.
        var since: Int64 = 0
        /// Nor those of this time or an earlier one.
        var timeMin: UInt64 = 0
        var joinsUnderWay = 0
    }

    private let buffer: UInt64
    private var sent: [Sent] = []
    private var hearers: [Hearer]
    private(set) var timeMax: UInt64 = 0
    private(set) var deliveredCount = 0

    init(nodeCount: Int, buffer: Int) {
        self.buffer = UInt64(buffer)
        hearers = Array(repeating: Hearer(), count: nodeCount)
    }

    mutating func started(_ node: Int, _ now: Int64) {
        hearers[node] = Hearer(isUp: true, since: now)
    }

    func isJoining(_ node: Int) -> Bool { hearers[node].joinsUnderWay > 0 }

    mutating func joinBegins(_ node: Int) { hearers[node].joinsUnderWay += 1 }

    mutating func joinEnds(_ node: Int, ignoresOld: Bool, _ now: Int64) {
        hearers[node].joinsUnderWay = max(0, hearers[node].joinsUnderWay - 1)
        guard ignoresOld else { return }
        hearers[node].since = now
        hearers[node].timeMin = timeMax
    }

    /// Somebody sends an event.
    ///
    /// - Returns: Its payload, by which it is known again, with so many bytes more.
    mutating func send(_ now: Int64, padding: Int) -> [UInt8] {
        sent.append(Sent(at: now))
        return Self.payload(sent.count - 1) + Array(repeating: 0x2e, count: padding)
    }

    static func payload(_ number: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    static func number(_ payload: [UInt8]) -> Int? {
        guard payload.count >= 4 else { return nil }
        return (0..<4).reduce(0) { $0 | Int(payload[$1]) << (8 * $1) }
    }

    /// A member has told its application of an event.
    mutating func delivered(_ event: UserEvent, at node: Int, _ now: Int64) throws(Violation) {
        guard let number = Self.number(event.payload), sent.indices ~= number else {
            throw Violation("n\(node) delivers an event that nobody has sent")
        }
        let known = sent[number].time
        guard known == nil || known == event.time.rawValue else {
            throw Violation(
                "n\(node) delivers event \(number) of time \(event.time.rawValue), which was sent at "
                    + "\(known ?? 0)")
        }
        sent[number].time = event.time.rawValue
        timeMax = max(timeMax, event.time.rawValue)
        while hearers[node].delivered.count <= number { hearers[node].delivered.append(false) }
        guard !hearers[node].delivered[number] else {
            throw Violation("n\(node) delivers event \(number) a second time")
        }
        hearers[node].delivered[number] = true
        deliveredCount += 1
    }

    func has(_ node: Int, _ number: Int) -> Bool {
        hearers[node].delivered.indices ~= number && hearers[node].delivered[number]
    }

    /// The first event that is still owed to one of these members, if there is any.
    func owed(to nodes: [Int]) -> (event: Int, node: Int)? {
        for number in sent.indices {
            guard let time = sent[number].time, time + buffer > timeMax + 2,
                nodes.contains(where: { has($0, number) })
            else { continue }
            for node in nodes where !has(node, number) {
                let hearer = hearers[node]
                guard sent[number].at > hearer.since, time > hearer.timeMin,
                    hearer.joinsUnderWay == 0
                else { continue }
                return (number, node)
            }
        }
        return nil
    }
}
