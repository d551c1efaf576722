// SPDX-License-Identifier: Apache-2.0

internal import SerfCore
internal import SerfWire

/// What a node tells of its members, and what it lists, are one; and no status follows another that
/// cannot.
struct StatusOracle {
    private struct View {
        /// From the events: is there, left or failed; `nil` if not known.
        var told: MemberStatus?
        /// From the list, at the last look.
        var listed: MemberStatus?
        var time = LamportTime(rawValue: 0)
    }

    private var views: [[View]]

    init(nodeCount: Int) {
        views = Array(
            repeating: Array(repeating: View(), count: nodeCount), count: nodeCount)
    }

    mutating func started(_ observer: Int) {
        for node in views[observer].indices { views[observer][node] = View() }
    }

    func number(_ name: String) -> Int? { IncarnationOracle.number(name, views.count) }

    mutating func happened(_ event: SerfEvent, at observer: Int) throws(Violation) {
        switch event {
        case .joined(let members):
            for member in members {
                try tell(observer, member, "joined", becomes: .alive) { $0 != .alive }
            }
        case .left(let members):
            for member in members {
                try tell(observer, member, "left", becomes: .left) { $0 == .alive || $0 == .failed }
            }
        case .failed(let members):
            for member in members {
                try tell(observer, member, "failed", becomes: .failed) { $0 == .alive }
            }
        case .updated(let members):
            for member in members {
                try tell(observer, member, "updated", becomes: .alive) { $0 == .alive }
            }
        case .reaped(let members):
            for member in members {
                try tell(observer, member, "was reaped", becomes: nil) { $0 != nil }
            }
        case .user, .query: break
        }
    }

    private mutating func tell(
        _ observer: Int, _ member: Member, _ what: String, becomes status: MemberStatus?,
        if isPossible: (MemberStatus?) -> Bool
    ) throws(Violation) {
        guard let node = number(member.name) else {
            throw Violation("n\(observer) says that \(member.name) \(what), whom nobody started")
        }
        let before = views[observer][node].told
        guard isPossible(before) else {
            throw Violation(
                "n\(observer) says that \(member.name) \(what), which was "
                    + (before.map { "\($0)" } ?? "unknown"))
        }
        views[observer][node].told = status
    }

    /// Compares the list with the events and with the list before.
    mutating func look(
        _ observer: Int, _ members: [Member], _ now: Int64, isEach: Bool
    ) throws(Violation) {
        var isListed = Array(repeating: false, count: views.count)
        for member in members {
            guard let node = number(member.name) else {
                throw Violation("n\(observer) lists \(member.name), whom nobody has started")
            }
            guard !isListed[node] else {
                throw Violation("n\(observer) lists \(member.name) twice")
            }
            isListed[node] = true
            let view = views[observer][node]
            let told: MemberStatus = member.status == .leaving ? .alive : member.status
            guard view.told == told else {
                throw Violation(
                    "n\(observer) lists \(member.name) as \(member.status), and has told of it as "
                        + (view.told.map { "\($0)" } ?? "nothing"))
            }
            if isEach { try follow(observer, member, view) }
            views[observer][node].listed = member.status
            views[observer][node].time = member.statusTime
        }
        for node in views[observer].indices where !isListed[node] {
            guard views[observer][node].told == nil else {
                throw Violation(
                    "n\(observer) does not list n\(node), and has not told that it went")
            }
            views[observer][node].listed = nil
        }
    }

    private func follow(_ observer: Int, _ member: Member, _ view: View) throws(Violation) {
        let isImpossible =
            switch (view.listed, member.status) {
            // Who says that it leaves has left, and has not failed, unless it took that back.
            case (.leaving, .failed): member.statusTime == view.time
            case (nil, .failed), (nil, .left), (.left, .failed): true
            default: false
            }
        guard isImpossible else { return }
        throw Violation(
            "n\(observer) had \(member.name) as "
                + (view.listed.map { "\($0)" } ?? "unknown")
                + ", and after one step as \(member.status)")
    }
}
