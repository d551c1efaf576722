// SPDX-License-Identifier: Apache-2.0

internal import SerfWire
internal import SwimCore

/// Whom the responses to a query go to.
struct QueryOrigin: Sendable, Equatable {
    let time: LamportTime
    let id: UInt32
    let endpoint: Endpoint
    let node: String
    let relayFactor: UInt8
}

/// Queries of others that the application may answer: the newest ones, up to a number.
///
/// A flood pushes out older ones, whose askers then get no answer, as if it had been lost.
struct ReceivedQueries: Sendable {
    private struct Entry: Sendable {
        let token: QueryToken
        let origin: QueryOrigin
        let deadline: Moment
        var isAnswered = false
    }

    /// By token, modulo the number of places.
    private var entries: [Entry?]
    private var lastToken: UInt64 = 0

    init(countMax: Int) {
        entries = Array(repeating: nil, count: max(1, countMax))
    }

    /// Keeps a query.
    mutating func add(_ origin: QueryOrigin, until deadline: Moment) -> QueryToken {
        lastToken += 1
        let token = QueryToken(rawValue: lastToken)
        entries[place(of: token)] = Entry(token: token, origin: origin, deadline: deadline)
        return token
    }

    /// Whom an answer that is given now goes to.
    func origin(of token: QueryToken, at now: Moment) throws(SerfError) -> QueryOrigin {
        guard let entry = entries[place(of: token)], entry.token == token, now < entry.deadline
        else { throw .queryOver }
        guard !entry.isAnswered else { throw .alreadyAnswered }
        return entry.origin
    }

    /// Takes note that a query was answered.
    mutating func markAnswered(_ token: QueryToken) {
        let place = place(of: token)
        guard entries[place]?.token == token else { return }
        entries[place]?.isAnswered = true
    }

    private func place(of token: QueryToken) -> Int {
        Int(token.rawValue % UInt64(entries.count))
    }
}
