// SPDX-License-Identifier: Apache-2.0

internal import SerfCore
internal import SerfWire
internal import SwimCore

/// A connection from one node to another, for one request and one answer.
struct SimulatedStream {
    let opener: Int
    let openerLife: Int
    let id: StreamID
    let accepter: Int
    /// Breaks at one of the two ways.
    let breaksAt: Way?
    var accepterLife = 0
    var acceptedID = StreamID(rawValue: 0)
    /// The opener has an answer, a failure, or no interest any more.
    var isOver = false

    enum Way {
        case request
        case answer
    }
}

// Streams: dialled, refused, cut, late.
extension GossipWorld {
    mutating func dial(
        _ node: Int, _ id: StreamID, _ endpoint: Endpoint, _ request: [UInt8], _ timeout: Duration
    ) throws(Violation) {
        guard id.rawValue & 1 == 1, nodes[node].opened[id.rawValue] == nil else {
            throw Violation("\(nodes[node].name) opens stream \(id.rawValue), which is no new one")
        }
        guard timeout > .zero else {
            throw Violation("\(nodes[node].name) opens a stream that has \(timeout) of time")
        }
        let number = streams.count
        let target = self.number(at: endpoint)
        let breaks = network.breaksStream()
        if breaks { marks.insert(.streamsBroken) }
        streams.append(
            SimulatedStream(
                opener: node, openerLife: nodes[node].life, id: id, accepter: target ?? -1,
                breaksAt: !breaks ? nil : chanceOfWorld.happens(percent: 50) ? .request : .answer))
        nodes[node].opened[id.rawValue] = number
        queue.plan(.streamEnd(stream: number, .timedOut), at: now + timeout.nanoseconds)
        guard let target else {
            let latency = network.latency()
            return queue.plan(
                .streamEnd(stream: number, .unreachable("no route")), at: now + latency)
        }
        guard network.carriesStreams(node, target) else { return }
        // There, back, and there again with the request.
        let arrival = now + network.latency() + network.latency() + network.latency()
        queue.plan(.request(stream: number, request), at: arrival)
    }

    mutating func deliverRequest(_ number: Int, _ body: [UInt8]) throws(Violation) {
        let stream = streams[number]
        let target = stream.accepter
        // With the opener's process its connections end.
        guard isWaited(for: number), network.carriesStreams(stream.opener, target) else { return }
        guard nodes[target].isUp else {
            guard refusesDials else { return }
            let latency = network.latency()
            return queue.plan(
                .streamEnd(stream: number, .unreachable("connection refused")), at: now + latency)
        }
        guard stream.breaksAt != .request else { return end(number, .closed) }
        guard nodes[target].isAwake else {
            return nodes[target].keep(.request(stream: number, body))
        }
        nodes[target].acceptedCount += 1
        let id = StreamID(rawValue: 2 * nodes[target].acceptedCount)
        streams[number].acceptedID = id
        streams[number].accepterLife = nodes[target].life
        nodes[target].accepted[id.rawValue] = number
        let opener = nodes[stream.opener].endpoint
        // Dialled from a port that the system chose.
        let from = Endpoint(address: opener.address, port: UInt16(40_000 + number % 20_000))
        note { "\(nodes[target].name) accepts of \(nodes[stream.opener].name): \(tellBody(body))" }
        try act(target, .request(id, body, from: from))
    }

    mutating func answer(_ node: Int, _ id: StreamID, _ body: [UInt8]) throws(Violation) {
        guard let number = nodes[node].accepted.removeValue(forKey: id.rawValue) else {
            throw Violation("\(nodes[node].name) answers on stream \(id.rawValue), which is closed")
        }
        let stream = streams[number]
        guard network.carriesStreams(node, stream.opener) else { return }
        guard stream.breaksAt != .answer else { return end(number, .closed) }
        let arrival = now + network.latency()
        queue.plan(.answer(stream: number, body), at: arrival)
    }

    /// Closed by who accepted it, or given up by who opened it.
    mutating func close(_ node: Int, _ id: StreamID) {
        if let number = nodes[node].accepted.removeValue(forKey: id.rawValue) {
            end(number, .closed)
        } else if let number = nodes[node].opened.removeValue(forKey: id.rawValue) {
            streams[number].isOver = true
        }
    }

    private mutating func end(_ number: Int, _ failure: StreamFailure) {
        let latency = network.latency()
        queue.plan(.streamEnd(stream: number, failure), at: now + latency)
    }

    mutating func deliverAnswer(_ number: Int, _ body: [UInt8]) throws(Violation) {
        let stream = streams[number]
        guard isWaited(for: number), network.carriesStreams(stream.accepter, stream.opener) else {
            return
        }
        guard nodes[stream.opener].isAwake else {
            return nodes[stream.opener].keep(.answer(stream: number, body))
        }
        finish(number)
        note {
            "\(nodes[stream.opener].name) is answered by \(nodes[stream.accepter].name): "
                + tellBody(body)
        }
        try act(stream.opener, .answer(stream.id, body))
    }

    mutating func deliverEnd(_ number: Int, _ failure: StreamFailure) throws(Violation) {
        guard isWaited(for: number) else { return }
        let stream = streams[number]
        guard nodes[stream.opener].isAwake else {
            return nodes[stream.opener].keep(.streamEnd(stream: number, failure))
        }
        finish(number)
        note { "\(nodes[stream.opener].name) loses stream \(stream.id.rawValue): \(failure)" }
        try act(stream.opener, .streamFailed(stream.id, failure))
    }

    private func isWaited(for number: Int) -> Bool {
        let stream = streams[number]
        return !stream.isOver && nodes[stream.opener].life == stream.openerLife
    }

    private mutating func finish(_ number: Int) {
        streams[number].isOver = true
        nodes[streams[number].opener].opened[streams[number].id.rawValue] = nil
    }
}
