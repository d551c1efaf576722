// SPDX-License-Identifier: Apache-2.0

internal import SerfWire
internal import SwimCore

/// A query of this node's, while answers may come.
struct AskedQuery: Sendable {
    /// What is done with the answers.
    enum Purpose: Sendable {
        /// They are for the application.
        case command(CommandID)
        /// They say what became of keys.
        case keys(CommandID, KeyTally)
        /// They say who has our name.
        case conflict
    }

    let time: LamportTime
    let id: UInt32
    var purpose: Purpose
    let deadline: Moment
    /// How many acks, and how many answers, are taken: more than there are members to give them.
    let countMax: Int
    private(set) var result = QueryResult()
    private var acked: Set<String> = []
    private var answered: Set<String> = []
    /// What the acks and answers take, in bytes.
    private(set) var byteCount = 0

    init(time: LamportTime, id: UInt32, purpose: Purpose, deadline: Moment, memberCount: Int) {
        self.time = time
        self.id = id
        self.purpose = purpose
        self.deadline = deadline
        countMax = 2 * memberCount + 16
    }

    /// What is kept of a response, in bytes.
    static func size(of response: QueryResponse) -> Int {
        response.from.utf8.count + response.payload.count
    }

    /// Takes an ack or an answer in; relays bring each several times.
    ///
    /// - Returns: Whether it is the first of its kind from its sender.
    mutating func take(_ response: QueryResponse) -> Bool {
        if response.isAcknowledgement {
            guard acked.count < countMax, acked.insert(response.from).inserted else { return false }
            result.acks.append(response.from)
        } else {
            guard answered.count < countMax, answered.insert(response.from).inserted else {
                return false
            }
            result.responses.append(.init(from: response.from, payload: response.payload))
        }
        byteCount += Self.size(of: response)
        return true
    }
}
