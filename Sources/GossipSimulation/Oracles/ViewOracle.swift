// SPDX-License-Identifier: Apache-2.0

internal import SerfCore
internal import SerfWire

/// What members have to know of each other once all is quiet.
enum ViewOracle {
    /// What a node lists.
    struct View {
        var observer: Int
        var members: [Member]
    }

    /// How a node is in fact.
    struct Truth {
        var name: String
        var endpoint: Endpoint
        var isUp: Bool
        var tags: [String: String]
        /// By itself or by another, in any life: it may be listed as left.
        var wasAskedToLeave: Bool
    }

    /// What is wrong in a view; `nil` if nothing is.
    ///
    /// All live nodes are listed as alive, with their address and newest tags. Who is down is
    /// listed as left or failed, if at all: a newcomer never hears of those who went before it came.
    static func flaw(in view: View, _ truth: [Truth]) -> String? {
        var members: [String: Member] = [:]
        for member in view.members { members[member.name] = member }
        for node in truth {
            guard let member = members[node.name] else {
                guard node.isUp else { continue }
                return "n\(view.observer) does not know \(node.name)"
            }
            guard member.endpoint == node.endpoint else {
                return "n\(view.observer) has \(node.name) at \(member.endpoint)"
            }
            guard node.isUp else {
                if member.status == .failed { continue }
                if member.status == .left, node.wasAskedToLeave { continue }
                return "n\(view.observer) has \(node.name), which is down, as \(member.status)"
            }
            guard member.status == .alive else {
                return "n\(view.observer) has \(node.name) as \(member.status)"
            }
            guard member.tags == node.tags else {
                return "n\(view.observer) has old tags of \(node.name)"
            }
        }
        return nil
    }

    /// Where two views of one member differ that both have; `nil` if nowhere.
    static func difference(between views: [View]) -> String? {
        var first: [String: (status: MemberStatus, observer: Int)] = [:]
        for view in views {
            for member in view.members {
                guard let other = first[member.name] else {
                    first[member.name] = (member.status, view.observer)
                    continue
                }
                guard other.status != member.status else { continue }
                return "n\(view.observer) has \(member.name) as \(member.status), "
                    + "n\(other.observer) as \(other.status)"
            }
        }
        return nil
    }
}
