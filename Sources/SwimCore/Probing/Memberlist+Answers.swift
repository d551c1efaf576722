// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

/// What we do for the failure detectors of others.
extension Memberlist {
    /// Answers to the address that the ping names; a packet's source may be that of a gateway.
    mutating func answer(
        _ ping: Ping, from source: Endpoint, delegate: inout some MemberlistDelegate,
        into effects: inout [SwimEffect]
    ) {
        guard isMeant(by: ping.node) else { return }
        let ack = Ack(sequence: ping.sequence, payload: delegate.ackPayload())
        sendWithGossip(
            .ack(ack), to: address(ping.source, or: source), delegate: &delegate, into: &effects)
    }

    /// Answers on the stream that the ping came on.
    mutating func answer(_ ping: Ping, on stream: StreamID, into effects: inout [SwimEffect]) {
        guard isMeant(by: ping.node) else {
            effects.append(.close(stream))
            return
        }
        let ack = SwimMessage.ack(Ack(sequence: ping.sequence, payload: []))
        effects.append(.reply(stream, StreamBody.encode(ack, compress: settings.compress)))
    }

    /// Pings a node for somebody who hears nothing from it.
    mutating func help(
        _ request: IndirectPing, from source: Endpoint, delegate: inout some MemberlistDelegate,
        into effects: inout [SwimEffect]
    ) {
        guard request.node.utf8.count <= SwimNode.nameBytesMax else { return }
        guard relays.count < settings.relaysMax else {
            effects.append(.observe(.overloaded))
            return
        }
        sequence &+= 1
        let timer = timers.set(.relayEnd(sequence), at: now + settings.probeTimeout)
        relays[sequence] = Relay(
            requester: address(request.source, or: source), sequence: request.sequence,
            wantsNack: request.wantsNack, timer: timer)
        let ping = Ping(
            sequence: sequence, node: request.node,
            source: Source(endpoint: localNode.endpoint, node: name))
        sendWithGossip(
            .ping(ping), to: withPort(request.target), delegate: &delegate, into: &effects)
    }

    /// The node has not answered in time: the requester hears that we have tried.
    mutating func endRelay(
        _ sequence: UInt32, delegate: inout some MemberlistDelegate,
        into effects: inout [SwimEffect]
    ) {
        guard let relay = relays.removeValue(forKey: sequence), relay.wantsNack else { return }
        sendWithGossip(
            .nack(Nack(sequence: relay.sequence)), to: relay.requester, delegate: &delegate,
            into: &effects)
    }

    /// A ping without a name is for whoever has the address.
    private func isMeant(by node: String) -> Bool { node.isEmpty || node == name }

    private func address(_ named: Source?, or source: Endpoint) -> Endpoint {
        withPort(named?.endpoint ?? source)
    }

    private func withPort(_ endpoint: Endpoint) -> Endpoint {
        guard endpoint.port == 0 else { return endpoint }
        return Endpoint(address: endpoint.address, port: settings.defaultPort)
    }
}
