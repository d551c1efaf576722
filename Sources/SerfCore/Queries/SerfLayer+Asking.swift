// SPDX-License-Identifier: Apache-2.0

internal import SerfWire
internal import SwimCore

/// Queries of this node's: sent, answered, and over.
extension SerfLayer {
    /// What the answers to all open queries may take together, in bytes.
    ///
    /// Those of 1,000 members to 16 queries fit; invented ones cannot fill the memory.
    static let answerBytesMax = 16 << 20

    /// How long answers are waited for if nobody says: as long as a query and its answers may need to
    /// spread.
    var defaultQueryTimeout: Duration {
        let live = members.count(of: .alive)
        return settings.swim.gossipInterval * settings.queryTimeoutMult * Decades.above(live)
    }

    /// Asks all members that fit.
    ///
    /// - Throws: ``SerfError/tooMany(limit:)`` or ``SerfError/queryTooLarge(size:limit:)``.
    mutating func ask(_ request: QueryRequest, for purpose: AskedQuery.Purpose) throws(SerfError) {
        guard asked.count < settings.openCountMax else {
            throw .tooMany(limit: settings.openCountMax)
        }
        var timeout = request.timeout ?? defaultQueryTimeout
        if timeout <= .zero { timeout = defaultQueryTimeout }
        let query = QueryMessage(
            time: queryClock.time, id: UInt32.random(in: 0...UInt32(Int32.max), using: &random),
            origin: endpoint, originNode: name, filters: Self.filters(of: request),
            flags: request.wantsAcks ? .acknowledge : [], relayFactor: request.relayFactor,
            timeout: (Moment(nanoseconds: 0) + timeout).nanoseconds, name: request.name,
            payload: request.payload)
        let message = SerfMessage.query(query).encoded()
        guard message.count <= settings.querySizeMax else {
            throw .queryTooLarge(size: message.count, limit: settings.querySizeMax)
        }
        asked.append(
            AskedQuery(
                time: query.time, id: query.id, purpose: purpose, deadline: now + timeout,
                memberCount: members.count))
        // We are one of those who are asked. Our own response goes over the network like any other.
        if hear(query) { gossip(message, through: .queries) }
    }

    private static func filters(of request: QueryRequest) -> [QueryFilter] {
        var filters: [QueryFilter] = request.nodes.isEmpty ? [] : [.nodes(request.nodes)]
        for tag in request.tags.keys.sorted() {
            filters.append(.tag(name: tag, expression: request.tags[tag] ?? ""))
        }
        return filters
    }

    /// Takes in what a member says to a query.
    ///
    /// Of one that is over nothing is wanted any more.
    mutating func hear(_ response: QueryResponse) {
        let place = asked.firstIndex { $0.time == response.time && $0.id == response.id }
        guard let place, now < asked[place].deadline else { return }
        let byteCount = asked.reduce(AskedQuery.size(of: response)) { $0 + $1.byteCount }
        guard byteCount <= Self.answerBytesMax, asked[place].take(response) else { return }
        switch asked[place].purpose {
        case .command(let command):
            effects.append(
                .queryProgress(
                    command,
                    response.isAcknowledgement
                        ? .ack(from: response.from)
                        : .response(from: response.from, payload: response.payload)))
        case .keys(let command, var tally):
            guard !response.isAcknowledgement else { return }
            tally.take(response)
            asked[place].purpose = .keys(command, tally)
            // Nobody is left to wait for.
            if tally.isFull { end(asked.remove(at: place)) }
        case .conflict: break
        }
    }

    /// Ends the queries whose time is over.
    mutating func endDueQueries() {
        let due = asked.filter { $0.deadline <= now }
        guard !due.isEmpty else { return }
        asked.removeAll { $0.deadline <= now }
        for query in due { end(query) }
    }

    private mutating func end(_ query: AskedQuery) {
        switch query.purpose {
        case .command(let command):
            effects.append(.ended(command, .success(.answered(query.result))))
        case .keys(let command, let tally):
            effects.append(.ended(command, .success(.keys(tally.report))))
        case .conflict: resolveConflict(query.result)
        }
    }
}
