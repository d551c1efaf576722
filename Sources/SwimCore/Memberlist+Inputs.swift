// SPDX-License-Identifier: Apache-2.0

public import SerfWire

extension Memberlist {
    // MARK: What happens

    /// Begins: we are a member, probe, gossip and exchange from now on.
    ///
    /// A second call does nothing.
    public mutating func start(
        at now: Moment, delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        advance(to: now)
        guard !isStarted else { return }
        isStarted = true
        delegate.joined(localNode, at: self.now)
        // Nodes that are started together shall not do all things together.
        let probeDelay = settings.probeInterval.randomPart(using: &random)
        _ = timers.set(.probe, at: self.now + probeDelay)
        let gossipDelay = settings.gossipInterval.randomPart(using: &random)
        _ = timers.set(.gossip, at: self.now + gossipDelay)
        guard settings.pushPullInterval > .zero else { return }
        let pushPullDelay = settings.pushPullInterval.randomPart(using: &random)
        _ = timers.set(.pushPull, at: self.now + pushPullDelay)
    }

    /// Does what is due.
    public mutating func tick(
        at now: Moment, delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        advance(to: now)
        // What fires sets no timer for this moment but that of a suspicion, once each, so this ends.
        while let (purpose, deadline) = timers.popDue(at: self.now) {
            switch purpose {
            case .probe:
                repeatTimer(.probe, after: settings.probeInterval, since: deadline)
                probeIsDue(delegate: &delegate, into: &effects)
            case .gossip:
                repeatTimer(.gossip, after: settings.gossipInterval, since: deadline)
                gossip(delegate: &delegate, into: &effects)
            case .pushPull:
                repeatTimer(.pushPull, after: pushPullIntervalScaled, since: deadline)
                pushPullWithRandomNode(delegate: &delegate, into: &effects)
            case .probeTimeout: askOthers(delegate: &delegate, into: &effects)
            case .probeEnd: endProbe(delegate: &delegate, into: &effects)
            case .relayEnd(let sequence):
                endRelay(sequence, delegate: &delegate, into: &effects)
            case .suspicionEnd(let node):
                suspicionHasEnded(of: node, delegate: &delegate, into: &effects)
            }
        }
    }

    /// Takes a packet, after decryption and without a label.
    public mutating func receive(
        packet: [UInt8], from source: Endpoint, at now: Moment,
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        advance(to: now)
        counters.bytesReceived += UInt64(packet.count)
        var unreadable = 0
        let messages: [SwimMessage]
        do {
            messages = try Packet.decode(packet, unreadable: &unreadable)
        } catch {
            counters.unreadable += 1
            effects.append(.observe(.malformed(from: source, error)))
            return
        }
        counters.messagesReceived += UInt64(messages.count)
        counters.unreadable += UInt64(unreadable)
        if unreadable > 0 {
            let error = WireError.malformed("\(unreadable) parts of a packet")
            effects.append(.observe(.malformed(from: source, error)))
        }
        // News of living nodes first, so that other news about them finds them; pings last, so that
        // what they bring about goes along with the ack.
        for case .alive(let alive) in messages {
            apply(alive: alive, delegate: &delegate, into: &effects)
        }
        for message in messages {
            receive(message, from: source, delegate: &delegate, into: &effects)
        }
        for case .ping(let ping) in messages {
            answer(ping, from: source, delegate: &delegate, into: &effects)
        }
    }

    private mutating func receive(
        _ message: SwimMessage, from source: Endpoint,
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        switch message {
        case .alive, .ping: break
        case .suspect(let suspect): apply(suspect: suspect, delegate: &delegate, into: &effects)
        case .dead(let dead): apply(dead: dead, delegate: &delegate, into: &effects)
        case .user(let bytes):
            delegate.received(userMessage: bytes, at: now, into: &effects)
        case .ack(let ack): receive(ack, delegate: &delegate, into: &effects)
        case .nack(let nack): receive(nack)
        case .indirectPing(let ping):
            help(ping, from: source, delegate: &delegate, into: &effects)
        case .pushPull, .error:
            counters.unreadable += 1
            let error = WireError.malformed("a message of streams in a packet")
            effects.append(.observe(.malformed(from: source, error)))
        }
    }

    /// Takes the body of a stream that was accepted, and answers it or closes it.
    public mutating func receive(
        request: [UInt8], on stream: StreamID, from source: Endpoint, at now: Moment,
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        advance(to: now)
        let message: SwimMessage
        do {
            message = try StreamBody.decode(request)
        } catch {
            effects.append(.observe(.malformed(from: source, error)))
            // Bad compression is said; a body of another shape ends silently.
            guard request.first == Self.compressedType else {
                effects.append(.close(stream))
                return
            }
            let answer = SwimMessage.error("the compressed body cannot be read")
            effects.append(.reply(stream, StreamBody.encode(answer, compress: false)))
            return
        }
        switch message {
        case .ping(let ping): answer(ping, on: stream, into: &effects)
        case .pushPull(let theirs):
            accept(theirs, on: stream, from: source, delegate: &delegate, into: &effects)
        case .user(let bytes):
            effects.append(.close(stream))
            delegate.received(userMessage: bytes, at: self.now, into: &effects)
        default:
            let error = WireError.malformed("not a request of a stream")
            effects.append(.observe(.malformed(from: source, error)))
            effects.append(.close(stream))
        }
    }

    /// Takes the body of the answer on a stream that ``SwimEffect/open(_:to:request:timeout:)`` asked
    /// for.
    ///
    /// Nothing happens if the stream was given up.
    public mutating func receive(
        answer: [UInt8], on stream: StreamID, at now: Moment,
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        advance(to: now)
        guard let exchange = exchanges[stream] else { return }
        do {
            let message = try StreamBody.decode(answer)
            if case .error(let text) = message {
                fail(stream, .refused(text), into: &effects)
                return
            }
            exchanges[stream] = nil
            switch exchange {
            case .probe: probeStreamAnswered(message)
            case .pushPull(let endpoint, let isJoin, let isAsked):
                pushPullsInFlight -= 1
                let reason = finish(
                    message, with: endpoint, isJoin: isJoin, delegate: &delegate, into: &effects)
                conclude(stream, with: endpoint, isAsked: isAsked, reason, into: &effects)
            }
        } catch {
            fail(stream, .malformed(error), into: &effects)
        }
    }

    /// Takes note that no answer will come on a stream that we had opened.
    public mutating func streamFailed(
        _ stream: StreamID, reason: StreamFailure, at now: Moment,
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        advance(to: now)
        fail(stream, reason, into: &effects)
    }

    /// How a compressed body begins.
    private static var compressedType: UInt8 { 9 }

    // MARK: Time

    /// Time never goes back, whatever the caller's clock does.
    mutating func advance(to moment: Moment) {
        now = max(now, moment)
    }

    /// Keeps the beat of a timer, but makes up for no beat that was missed.
    private mutating func repeatTimer(
        _ purpose: TimerPurpose, after interval: Duration, since deadline: Moment
    ) {
        let next = deadline + interval
        _ = timers.set(purpose, at: next > now ? next : now + interval)
    }
}
