// SPDX-License-Identifier: Apache-2.0

public import SerfWire

extension Memberlist {
    /// Queues a message about a node in place of an older one about it.
    @discardableResult
    mutating func broadcast(
        _ message: SwimMessage, about node: String, isTracked: Bool = false
    ) -> BroadcastID {
        let id = queue.queue(message.encoded(), name: node, isTracked: isTracked)
        droppedBroadcasts += queue.prune(to: settings.queueMax, keeping: name)
        return id
    }

    /// How often a message is sent before it is done.
    var retransmitLimit: Int {
        settings.retransmitMult * Logarithm.decimalCeiling(table.count + 1)
    }

    /// Sends what waits to a few random nodes.
    ///
    /// The dead hear it too for a while: they may be alive and know nothing of what is said about
    /// them.
    mutating func gossip(
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        if droppedBroadcasts > 0 {
            effects.append(.observe(.queueOverflow(droppedBroadcasts)))
            droppedBroadcasts = 0
        }
        guard !queue.isEmpty || delegate.hasBroadcasts else { return }
        let (own, now, patience) = (name, now, settings.gossipToTheDead)
        let targets = table.sample(settings.gossipNodes, using: &random) { node in
            guard node.name != own else { return false }
            switch node.state {
            case .alive, .suspect: return true
            case .dead: return now.duration(since: node.changed) <= patience
            case .left: return false
            }
        }
        for target in targets {
            let parts = drawBroadcasts(budget: settings.partsBudget, delegate: &delegate)
            guard !parts.isEmpty else { return }
            send(parts, to: target.endpoint, crc: checksums(target), into: &effects)
        }
    }

    /// Takes what a packet has room for: our messages first, then the delegate's.
    mutating func drawBroadcasts(
        budget: Int, delegate: inout some MemberlistDelegate
    ) -> [[UInt8]] {
        let overhead = Packet.partOverhead
        var parts = queue.draw(
            overhead: overhead, budget: budget, limit: retransmitLimit,
            countMax: Packet.partsMax - 1)
        let room = parts.reduce(budget) { $0 - $1.count - overhead }
        if room > overhead, delegate.hasBroadcasts {
            parts += delegate.broadcasts(overhead: overhead, budget: room)
        }
        return parts
    }

    func checksums(_ node: SwimNode) -> Bool { settings.sendsCrc && node.takesChecksums }

    /// Sends a message, and gossip along with it if a member is to get it.
    mutating func sendWithGossip(
        _ message: SwimMessage, to endpoint: Endpoint,
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        var parts = [message.encoded()]
        if table.holds(endpoint) {
            let room = settings.partsBudget - parts[0].count - Packet.partOverhead
            parts += drawBroadcasts(budget: room, delegate: &delegate)
        }
        send(parts, to: endpoint, crc: false, into: &effects)
    }

    /// Sends messages in as few packets as can be read by everybody.
    mutating func send(
        _ parts: [[UInt8]], to endpoint: Endpoint, crc: Bool, into effects: inout [SwimEffect]
    ) {
        var rest = parts[...]
        while !rest.isEmpty {
            let packet = Packet.encode(
                parts: Array(rest.prefix(Packet.partsMax)), compress: settings.compress, crc: crc)
            counters.messagesSent += UInt64(min(rest.count, Packet.partsMax))
            counters.bytesSent += UInt64(packet.count)
            effects.append(.send(packet, to: endpoint))
            rest = rest.dropFirst(Packet.partsMax)
        }
    }

    /// Sends a message of the layer above to one node's address, alone and now.
    public mutating func send(
        userMessage: [UInt8], to endpoint: Endpoint, into effects: inout [SwimEffect]
    ) {
        send([SwimMessage.user(userMessage).encoded()], to: endpoint, crc: false, into: &effects)
    }
}
