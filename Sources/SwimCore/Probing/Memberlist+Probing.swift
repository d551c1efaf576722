// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

/// The failure detector: one node after the other is asked whether it is alive (SWIM 3.1).
extension Memberlist {
    /// The beat of the probes.
    ///
    /// A probe that takes longer than a beat, as we are not well, delays the next one to its own
    /// end.
    mutating func probeIsDue(
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        guard probe == nil else {
            owesProbe = true
            return
        }
        owesProbe = false
        guard let node = nextToProbe() else { return }
        begin(probing: node, delegate: &delegate, into: &effects)
    }

    private mutating func nextToProbe() -> SwimNode? {
        for _ in 0...table.count {
            if table.cursor >= table.count { beginRound() }
            let node = table.records[table.cursor].node
            table.cursor += 1
            if node.name != name, !node.isGone { return node }
        }
        return nil
    }

    /// Those that are gone for long are forgotten between two rounds.
    private mutating func beginRound() {
        let (own, now, patience) = (name, now, settings.gossipToTheDead)
        table.beginRound(using: &random) { record in
            record.node.isGone && record.node.name != own
                && now.duration(since: record.node.changed) > patience
        }
    }

    private mutating func begin(
        probing node: SwimNode, delegate: inout some MemberlistDelegate,
        into effects: inout [SwimEffect]
    ) {
        sequence &+= 1
        let timer = timers.set(.probeTimeout, at: now + settings.probeTimeout)
        probe = Probe(
            node: node, sequence: sequence, sent: now,
            deadline: now + settings.probeInterval * (healthScore + 1), timer: timer)
        effects.append(.observe(.probeSent(node: node.name)))
        let ping = SwimMessage.ping(
            Ping(sequence: sequence, node: node.name, source: ownSource))
        guard node.state == .suspect else {
            sendWithGossip(ping, to: node.endpoint, delegate: &delegate, into: &effects)
            return
        }
        // It has to hear of the suspicion to refute it (Lifeguard IV-C).
        let suspect = SwimMessage.suspect(
            Suspect(incarnation: node.incarnation, node: node.name, from: name))
        send(
            [ping.encoded(), suspect.encoded()], to: node.endpoint, crc: checksums(node),
            into: &effects)
    }

    /// The node itself was silent for the probe timeout: others try, and a stream.
    mutating func askOthers(
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        guard var current = probe, !current.isIndirect else {
            preconditionFailure("a probe timeout without its probe")
        }
        current.isIndirect = true
        // If we were held up ourselves, the answers that wait for us are to be heard first.
        let late = now.duration(since: current.sent + settings.probeTimeout)
        current.deadline = current.deadline + max(.zero, late)
        current.timer = timers.set(.probeEnd, at: current.deadline)
        let node = current.node
        let (own, target) = (name, node.name)
        let helpers = table.sample(settings.indirectChecks, using: &random) { other in
            other.state == .alive && other.name != own && other.name != target
        }
        current.nacksExpected = helpers.reduce(0) { $0 + ($1.canNack ? 1 : 0) }
        if node.canBePingedByStream {
            current.stream = openStream(
                to: node.endpoint,
                request: .ping(
                    Ping(sequence: current.sequence, node: node.name, source: ownSource)),
                timeout: current.deadline.duration(since: now), for: .probe, into: &effects)
        }
        probe = current
        for helper in helpers {
            let request = IndirectPing(
                sequence: current.sequence, target: node.endpoint, node: node.name,
                wantsNack: helper.canNack, source: ownSource)
            sendWithGossip(
                .indirectPing(request), to: helper.endpoint, delegate: &delegate, into: &effects)
        }
    }

    /// Somebody answers a ping of ours.
    ///
    /// An unknown number costs two look-ups.
    mutating func receive(
        _ ack: Ack, delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        if let relay = relays.removeValue(forKey: ack.sequence) {
            timers.cancel(relay.timer)
            let answer = SwimMessage.ack(Ack(sequence: relay.sequence, payload: []))
            sendWithGossip(answer, to: relay.requester, delegate: &delegate, into: &effects)
            return
        }
        guard let probe, probe.sequence == ack.sequence else { return }
        if !probe.isIndirect {
            // A helper's ack would say nothing about the way to the node.
            delegate.acknowledged(
                probe.node, roundTrip: now.duration(since: probe.sent), payload: ack.payload)
        }
        changeHealth(by: -1, into: &effects)
        closeProbe(delegate: &delegate, into: &effects)
    }

    /// A helper has heard nothing from the node: so the helper and the way to it are well.
    mutating func receive(_ nack: Nack) {
        guard let current = probe, current.isIndirect, current.sequence == nack.sequence,
            current.nacks < current.nacksExpected
        else { return }
        probe?.nacks += 1
    }

    /// The node has answered on a stream.
    ///
    /// Packets have until the end to show that they come through.
    mutating func probeStreamAnswered(_ answer: SwimMessage) {
        probe?.stream = nil
        guard case .ack(let ack) = answer, ack.sequence == probe?.sequence else { return }
        probe?.isAnsweredByStream = true
    }

    /// The time is over, and no ack has come in a packet.
    mutating func endProbe(
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        guard let probe, probe.isIndirect else {
            preconditionFailure("the end of a probe that has not begun")
        }
        if probe.isAnsweredByStream {
            effects.append(.observe(.probeByStream(node: probe.node.name)))
            changeHealth(by: -1, into: &effects)
        } else {
            effects.append(.observe(.probeFailed(node: probe.node.name)))
            // Helpers that do not even say that they have heard nothing make us doubt ourselves
            // (Lifeguard IV-A).
            let missing = probe.nacksExpected - probe.nacks
            changeHealth(by: probe.nacksExpected > 0 ? missing : 1, into: &effects)
            let suspect = Suspect(
                incarnation: probe.node.incarnation, node: probe.node.name, from: name)
            apply(suspect: suspect, delegate: &delegate, into: &effects)
        }
        closeProbe(delegate: &delegate, into: &effects)
    }

    private mutating func closeProbe(
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        guard let ended = probe else { return }
        timers.cancel(ended.timer)
        if let stream = ended.stream {
            exchanges[stream] = nil
            effects.append(.close(stream))
        }
        probe = nil
        if owesProbe { probeIsDue(delegate: &delegate, into: &effects) }
    }

    /// Where answers to our pings go.
    private var ownSource: Source { Source(endpoint: localNode.endpoint, node: name) }
}
