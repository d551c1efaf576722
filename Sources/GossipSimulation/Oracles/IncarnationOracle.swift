// SPDX-License-Identifier: Apache-2.0

internal import SerfCore
internal import SwimCore

/// Incarnations only grow, and only a node itself raises its own (SWIM 4.2).
struct IncarnationOracle {
    /// By observer and node: what was last seen there; `nil` if it had no record.
    private var seen: [[UInt32?]]
    /// The greatest that each node has ever had for itself, in any life.
    private var own: [UInt32]

    init(nodeCount: Int) {
        seen = Array(repeating: Array(repeating: nil, count: nodeCount), count: nodeCount)
        own = Array(repeating: 0, count: nodeCount)
    }

    mutating func started(_ observer: Int) {
        for node in seen[observer].indices { seen[observer][node] = nil }
    }

    /// Compares a table with what it was after the step before.
    ///
    /// - Parameter isEach: Every step is looked at. Otherwise a node may have been forgotten and
    ///   found again, or have raised its incarnation, unseen.
    mutating func look(
        _ observer: Int, _ table: [SwimNode], isEach: Bool
    ) throws(Violation) {
        var now: [UInt32?] = Array(repeating: nil, count: own.count)
        for record in table {
            guard let node = Self.number(record.name, own.count) else {
                throw Violation("n\(observer) knows \(record.name), whom nobody has started")
            }
            guard now[node] == nil else {
                throw Violation("n\(observer) has two records of \(record.name)")
            }
            now[node] = record.incarnation
            if isEach, let before = seen[observer][node], record.incarnation < before {
                throw Violation(
                    "n\(observer) had \(record.name) in incarnation \(before), and now in "
                        + "\(record.incarnation)")
            }
            if node == observer {
                own[node] = max(own[node], record.incarnation)
            } else if isEach, record.incarnation > own[node] {
                throw Violation(
                    "n\(observer) has \(record.name) in incarnation \(record.incarnation), and it "
                        + "never was beyond \(own[node])")
            }
        }
        seen[observer] = now
    }

    static func number(_ name: String, _ count: Int) -> Int? {
        guard name.utf8.first == UInt8(ascii: "n") else { return nil }
        var number = 0
        for digit in name.utf8.dropFirst() {
            guard 0x30...0x39 ~= digit, number < count else { return nil }
            number = 10 * number + Int(digit - 0x30)
        }
        return number < count ? number : nil
    }
}
