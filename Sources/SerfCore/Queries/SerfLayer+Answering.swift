// SPDX-License-Identifier: Apache-2.0

internal import SerfWire
internal import SwimCore

/// Queries of others, and of this node itself: passed on, acknowledged, answered.
extension SerfLayer {
    /// The longest that an answer to a query is taken for, whatever its sender says.
    static let queryTimeoutMax = Duration.seconds(24 * 3600)

    /// Takes in a query.
    ///
    /// - Returns: Whether it was news, which others may not know.
    mutating func hear(_ query: QueryMessage) -> Bool {
        queryClock.witness(query.time)
        guard query.originNode.utf8.count <= SwimNode.nameBytesMax else {
            observe(.queryDropped(name: query.name))
            return false
        }
        switch seenQueries.remember(query.id, at: query.time, clock: queryClock) {
        case .isOld: return false
        case .isTooMuch:
            observe(.queryDropped(name: query.name))
            return false
        case .isNew: break
        }
        if isMeant(by: query.filters) { see(to: query) }
        // Those who are meant may be reached through us only.
        return !query.flags.contains(.noBroadcast)
    }

    private mutating func see(to query: QueryMessage) {
        let origin = QueryOrigin(
            time: query.time, id: query.id, endpoint: dialable(query.origin),
            node: query.originNode, relayFactor: query.relayFactor)
        if query.flags.contains(.acknowledge) {
            respond([], to: origin, flags: .acknowledge)
        }
        if query.name.hasPrefix(InternalQuery.prefix) {
            answer(query, from: origin)
            return
        }
        let timeout = min(.nanoseconds(max(0, query.timeout)), Self.queryTimeoutMax)
        let deadline = now + timeout
        let token = received.add(origin, until: deadline)
        tell(
            .query(
                QueryEvent(
                    token: token, time: query.time, name: query.name, payload: query.payload,
                    from: query.originNode, deadline: deadline)))
    }

    private mutating func answer(_ query: QueryMessage, from origin: QueryOrigin) {
        let answer: [UInt8]?
        switch InternalQuery(rawValue: query.name) {
        case .ping: answer = nil
        case .conflict: answer = conflictAnswer(to: query.payload)
        case .installKey, .useKey, .removeKey, .listKeys:
            answer = keyAnswer(to: query, from: origin)
        case nil:
            observe(.unknownQuery(name: query.name))
            answer = nil
        }
        if let answer { respond(answer, to: origin) }
    }

    /// Answers a query for the application.
    mutating func respond(_ payload: [UInt8], to token: QueryToken) throws(SerfError) {
        let origin = try received.origin(of: token, at: now)
        let size = response(payload, to: origin).count
        guard size <= settings.responseSizeMax else {
            throw .responseTooLarge(size: size, limit: settings.responseSizeMax)
        }
        received.markAnswered(token)
        respond(payload, to: origin)
    }

    /// The bytes of a response.
    func response(
        _ payload: [UInt8], to origin: QueryOrigin, flags: QueryFlags = []
    ) -> [UInt8] {
        let response = QueryResponse(
            time: origin.time, id: origin.id, from: name, flags: flags, payload: payload)
        return SerfMessage.response(response).encoded()
    }

    /// Sends a response to who has asked, and over as many others as it asked for.
    private mutating func respond(
        _ payload: [UInt8], to origin: QueryOrigin, flags: QueryFlags = []
    ) {
        let bytes = response(payload, to: origin, flags: flags)
        errands.append(.send(bytes, to: origin.endpoint))
        guard origin.relayFactor > 0, members.count > Int(origin.relayFactor) else { return }
        let header = RelayHeader(destination: origin.endpoint, name: origin.node)
        let relay = SerfMessage.relay(header, message: bytes).encoded()
        guard relay.count < settings.swim.packetBytesMax else { return }
        for helper in helpers(Int(origin.relayFactor)) {
            errands.append(.send(relay, to: helper))
        }
    }

    /// Where some living members hear that pass responses on, drawn by chance.
    private mutating func helpers(_ count: Int) -> [Endpoint] {
        var candidates = members.records.filter {
            $0.member.status == .alive && $0.member.name != name && $0.member.versions.swimMax >= 5
        }
        var helpers: [Endpoint] = []
        while helpers.count < count, !candidates.isEmpty {
            let place = Int.random(in: 0..<candidates.count, using: &random)
            candidates.swapAt(place, candidates.count - 1)
            helpers.append(candidates.removeLast().member.endpoint)
        }
        return helpers
    }

    /// Passes a response on to who has asked.
    ///
    /// Responses only: nothing else is sent so, and a message that relays a relay would let one packet
    /// travel for ever.
    mutating func relay(_ message: [UInt8], by header: RelayHeader) {
        let isResponse: Bool
        do {
            if case .response = try SerfMessage.decode(message) {
                isResponse = true
            } else {
                isResponse = false
            }
        } catch {
            observe(.malformed(error))
            return
        }
        guard isResponse else {
            observe(.misplaced(message.first ?? 0))
            return
        }
        let destination = dialable(header.destination)
        errands.append(.send(message, to: destination))
        observe(.relayed(to: destination))
    }

    /// An endpoint with the port that one without a port means.
    private func dialable(_ endpoint: Endpoint) -> Endpoint {
        guard endpoint.port == 0 else { return endpoint }
        return Endpoint(address: endpoint.address, port: settings.swim.defaultPort)
    }

    // MARK: Filters

    /// Whether all filters let this member through.
    private mutating func isMeant(by filters: [QueryFilter]) -> Bool {
        var work = Expression.workMax
        for filter in filters {
            switch filter {
            case .nodes(let names):
                guard names.contains(name) else { return false }
            case .tag(let tag, let expression):
                let value = members[name]?.member.tags[tag] ?? ""
                guard occurs(expression, in: value, work: &work) else { return false }
            case .unknown: return false
            }
        }
        return true
    }

    private mutating func occurs(
        _ expression: String, in value: String, work: inout Int
    ) -> Bool {
        do {
            return try Expression(expression, work: &work).occurs(in: value, work: &work)
        } catch {
            observe(.expressionRefused(expression))
            return false
        }
    }
}
