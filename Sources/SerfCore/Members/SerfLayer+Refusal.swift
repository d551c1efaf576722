// SPDX-License-Identifier: Apache-2.0

internal import SerfWire
internal import SwimCore

/// Keeping nodes of other clusters out, and more members than there is room for.
extension SerfLayer {
    func refusal(of alive: Alive) -> String? {
        guard alive.node != name else { return nil }
        if members[alive.node] == nil, members.count >= settings.memberCountMax {
            return "there are \(members.count) members already"
        }
        return foreignTag(of: alive.meta)
    }

    /// Refuses all that a peer sends if those it speaks for are of another cluster.
    ///
    /// As long as it also speaks for one of ours, only the others are refused, one by one: a stock
    /// agent lets in everybody, and must not be cut off for whom it has let in.
    func refusal(ofMerging nodes: [NodeState]) -> String? {
        guard !settings.commonTags.isEmpty else { return nil }
        var foreign: String?
        for node in nodes where node.name != name {
            guard node.state == .alive || node.state == .suspect else { continue }
            switch foreignTag(of: node.meta) {
            case let reason?:
                if foreign == nil { foreign = "\(node.name) \(reason)" }
            case nil where hasCommonTags(node.meta): return nil
            case nil: break
            }
        }
        return foreign
    }

    /// What is wrong with the tags of a node; `nil` if nothing is.
    private func foreignTag(of meta: [UInt8]) -> String? {
        guard !settings.commonTags.isEmpty else { return nil }
        let tags = Self.tags(of: meta)
        for tag in settings.commonTags.keys.sorted() {
            let ours = settings.commonTags[tag]
            guard let theirs = tags[tag], theirs != ours else { continue }
            return "has the tag \(tag)=\(theirs), not \(ours ?? "")"
        }
        return nil
    }

    private func hasCommonTags(_ meta: [UInt8]) -> Bool {
        let tags = Self.tags(of: meta)
        return settings.commonTags.keys.sorted().allSatisfy { tags[$0] == settings.commonTags[$0] }
    }
}
