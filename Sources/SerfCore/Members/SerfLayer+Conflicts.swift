// SPDX-License-Identifier: Apache-2.0

internal import SerfWire
internal import SwimCore

/// Two nodes of one name: the one that most others know keeps it.
extension SerfLayer {
    mutating func conflicted(known: SwimNode, other: Alive, at now: Moment) {
        self.now = max(self.now, now)
        observe(
            .nameConflict(node: known.name, known: known.endpoint, other: other.endpoint))
        // Of others' names nobody asks us; they find out themselves.
        guard known.name == name, settings.resolvesConflicts, phase == .running else { return }
        let isAsking = asked.contains { query in
            if case .conflict = query.purpose { true } else { false }
        }
        guard !isAsking else { return }
        let question = QueryRequest(
            name: InternalQuery.conflict.rawValue, payload: Array(name.utf8))
        do {
            try ask(question, for: .conflict)
        } catch {
            // As many queries as may be are open. The conflict shows again with the next gossip.
            observe(.queryDropped(name: question.name))
        }
    }

    /// What we say of a name; `nil` if it is ours, for we are not asked to judge ourselves.
    func conflictAnswer(to payload: [UInt8]) -> [UInt8]? {
        let asked = String(decoding: payload, as: UTF8.self)
        guard asked != name else { return nil }
        let member = members[asked].map { record in
            ConflictMember(
                name: record.member.name, endpoint: record.member.endpoint,
                tags: record.member.tags, status: record.member.status.rawValue,
                versions: record.member.versions)
        }
        return SerfMessage.conflict(member).encoded()
    }

    /// Counts the others' answers.
    ///
    /// Without a majority for us, ours is the name that is wrong.
    mutating func resolveConflict(_ result: QueryResult) {
        let agreeing = result.responses.count { isAboutUs($0.payload) }
        let answers = result.responses.count
        observe(.conflictResolved(agreeing: agreeing, answers: answers))
        // Who leaves gives the name up anyway.
        guard agreeing < answers / 2 + 1, phase == .running else { return }
        stopReason = .nameConflict(agreeing: agreeing, answers: answers)
    }

    private func isAboutUs(_ payload: [UInt8]) -> Bool {
        do {
            guard case .conflict(let member?) = try SerfMessage.decode(payload) else {
                return false
            }
            return member.endpoint == endpoint
        } catch {
            // An answer that says nothing is none for us.
            return false
        }
    }
}
