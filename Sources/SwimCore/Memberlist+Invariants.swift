// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

extension Memberlist {
    /// Checks what must hold between any two calls.
    public func checkInvariants() {
        table.checkInvariants()
        queue.checkInvariants()
        timers.checkInvariants()
        checkOurselves()
        var suspects = 0
        for record in table.records {
            check(record)
            if record.suspicion != nil { suspects += 1 }
        }
        let beats = isStarted ? (settings.pushPullInterval > .zero ? 3 : 2) : 0
        precondition(
            timers.count == beats + suspects + relays.count + (probe == nil ? 0 : 1),
            "\(timers.count) timers for \(suspects) suspects and \(relays.count) relays")
        precondition(queue.count <= settings.queueMax, "\(queue.count) messages are queued")
        precondition(
            queue.transmissionsMost < max(retransmitLimitMost, 1),
            "a message was sent \(queue.transmissionsMost) times and is still queued")
        precondition(table.count <= settings.nodesMax, "\(table.count) nodes")
        precondition(relays.count <= settings.relaysMax, "\(relays.count) pings for others")
        checkStreams()
    }

    private func checkOurselves() {
        guard let own = table[name]?.node else {
            preconditionFailure("\(name) is not in its own table")
        }
        precondition(own.state == (isLeaving ? .left : .alive), "\(name) is \(own.state)")
        precondition(own.incarnation > 0, "\(name) has said nothing")
        precondition(
            (0..<settings.awarenessMax).contains(healthScore), "a health score of \(healthScore)")
    }

    private func check(_ record: NodeRecord) {
        let node = record.node
        precondition(node.incarnation > 0, "\(node.name) is known but has said nothing")
        precondition(node.changed <= now, "\(node.name) changes in the future")
        precondition(
            (node.state == .suspect) == (record.suspicion != nil),
            "\(node.name) is \(node.state), and the suspicion \(record.suspicion != nil)")
        guard let suspicion = record.suspicion else { return }
        precondition(timers.isSet(suspicion.timer), "nobody ends the suspicion of \(node.name)")
        precondition(
            suspicion.confirmations <= suspicion.bounds.confirmationsMax,
            "\(suspicion.confirmations) confirm a suspicion")
    }

    private func checkStreams() {
        let probing = probe?.stream == nil ? 0 : 1
        precondition(
            exchanges.count == pushPullsInFlight + probing,
            "\(exchanges.count) streams for \(pushPullsInFlight) exchanges")
        precondition(pushPullsInFlight <= settings.exchangesMax, "\(pushPullsInFlight) exchanges")
        guard let probe else {
            precondition(!owesProbe, "a probe is owed that nothing delays")
            return
        }
        precondition(timers.isSet(probe.timer), "nobody ends the probe of \(probe.node.name)")
        precondition(probe.nacks <= probe.nacksExpected, "more nacks than helpers")
        if let stream = probe.stream {
            guard case .probe = exchanges[stream] else {
                preconditionFailure("the stream of a probe is another one's")
            }
        }
    }

    /// The limit in the largest table that there may be.
    ///
    /// The limit of the moment falls when nodes are forgotten; a message that is over it then goes
    /// with its next transmission.
    private var retransmitLimitMost: Int {
        settings.retransmitMult * Logarithm.decimalCeiling(settings.nodesMax + 1)
    }
}
