// SPDX-License-Identifier: Apache-2.0

internal import SerfWire
internal import SwimCore

/// What was said of members that are not known yet: the newest of each.
struct IntentBuffer: Sendable {
    /// What somebody said.
    struct Intent: Sendable, Equatable {
        var time: LamportTime
        var isLeave: Bool
        var arrived: Moment
    }

    /// What became of an intent.
    enum Verdict: Sendable, Equatable {
        /// Kept; others may not know it.
        case isNew
        /// As old as what is kept, or older.
        case isOld
        /// There is no room.
        case isTooMuch
    }

    private var table = NamedTable<Intent>()
    let countMax: Int

    init(countMax: Int) {
        self.countMax = countMax
    }

    /// How many are kept.
    var count: Int { table.count }

    /// Keeps an intent, if it is the newest about its node.
    mutating func keep(_ intent: Intent, about node: String) -> Verdict {
        if let known = table[node] {
            guard intent.time > known.time else { return .isOld }
        } else if table.count >= countMax {
            return .isTooMuch
        }
        table[node] = intent
        return .isNew
    }

    /// Whether something is kept about a node.
    func contains(_ node: String) -> Bool { table[node] != nil }

    /// Takes the intent about a node out.
    mutating func take(about node: String) -> Intent? {
        defer { table[node] = nil }
        return table[node]
    }

    /// Drops what arrived before a moment.
    mutating func drop(before moment: Moment) {
        for name in table.names where table[name].map({ $0.arrived < moment }) == true {
            table[name] = nil
        }
    }

    func checkInvariants() {
        table.checkInvariants()
        precondition(count <= countMax, "\(count) intents are kept; at most \(countMax)")
    }
}
