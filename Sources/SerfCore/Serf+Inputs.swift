// SPDX-License-Identifier: Apache-2.0

public import SwimCore

extension Serf {
    // MARK: What happens

    /// Takes in what happened, and says what is to be done.
    ///
    /// - Parameters:
    ///   - input: What happened. Before the start and after the end only commands have an effect: that
    ///     they end with ``SerfError/notRunning(_:)``.
    ///   - now: The time. An earlier one than before counts as the one before.
    ///   - effects: Appended to, in the order in which they are to be performed.
    public mutating func receive(
        _ input: Input, at now: Moment, into effects: inout [SerfEffect]
    ) {
        layer.now = max(layer.now, now)
        var swim: [SwimEffect] = []
        switch (input, layer.phase) {
        case (.command(let id, let command), _):
            perform(command, id, at: layer.now, into: &swim)
        case (.start, .new): start(into: &swim)
        case (_, .running), (_, .leaving): take(input, into: &swim)
        default: break
        }
        if layer.phase == .running || layer.phase == .leaving { settle(into: &swim) }
        // Whoever is told that a key is in place must find it so.
        if let keyring = layer.changedKeyring.take() { effects.append(.keyringChanged(keyring)) }
        effects.append(contentsOf: swim.lazy.map { .swim($0) })
        effects.append(contentsOf: layer.effects)
        layer.effects.removeAll(keepingCapacity: true)
    }

    private mutating func start(into swim: inout [SwimEffect]) {
        let now = layer.now
        layer.phase = .running
        layer.nextReap = now + layer.settings.reapInterval
        layer.nextReconnect = now + layer.settings.reconnectInterval
        memberlist.start(at: now, delegate: &layer, into: &swim)
    }

    private mutating func take(_ input: Input, into swim: inout [SwimEffect]) {
        let now = layer.now
        switch input {
        case .start, .command: break
        case .tick:
            memberlist.tick(at: now, delegate: &layer, into: &swim)
            layer.tick()
        case .packet(let packet, let source):
            memberlist.receive(
                packet: packet, from: source, at: now, delegate: &layer, into: &swim)
        case .request(let stream, let request, let source):
            memberlist.receive(
                request: request, on: stream, from: source, at: now, delegate: &layer, into: &swim)
        case .answer(let stream, let answer):
            layer.ignoresOldEvents = underWay.ignoresOldEvents(on: stream)
            memberlist.receive(
                answer: answer, on: stream, at: now, delegate: &layer, into: &swim)
            layer.ignoresOldEvents = false
        case .streamFailed(let stream, let reason):
            memberlist.streamFailed(
                stream, reason: reason, at: now, delegate: &layer, into: &swim)
        }
    }

    /// Does what the call has left to do: what the layer wants of the memberlist, and what commands
    /// have waited for.
    private mutating func settle(into swim: inout [SwimEffect]) {
        let now = layer.now
        settleJoins()
        let sent = memberlist.takeFinishedBroadcasts()
        let sentIntents = layer.intentQueue.takeFinished()
        settleTellings(sentIntents: sentIntents, sent: sent, at: now)
        advanceLeaving(sentIntents: sentIntents, sent: sent, at: now)
        runErrands(into: &swim)
        if let reason = layer.stopReason { stop(reason) }
    }

    private mutating func runErrands(into swim: inout [SwimEffect]) {
        let errands = layer.errands
        layer.errands.removeAll(keepingCapacity: true)
        for errand in errands {
            switch errand {
            case .send(let message, let endpoint):
                memberlist.send(userMessage: message, to: endpoint, into: &swim)
            case .exchange(let endpoint):
                memberlist.pushPull(
                    with: endpoint, isJoin: true, at: layer.now, delegate: &layer, into: &swim)
            }
        }
    }

    /// Ends, and with it every command that still waits.
    private mutating func stop(_ reason: StopReason) {
        switch reason {
        case .left: layer.phase = .left
        case .nameConflict: layer.phase = .stopped
        }
        var waiting = underWay.joins.map(\.command) + underWay.tellings.map(\.command)
        for query in layer.asked {
            switch query.purpose {
            case .command(let id), .keys(let id, _): waiting.append(id)
            case .conflict: break
            }
        }
        if let leaving { waiting.append(leaving.command) }
        for id in waiting { layer.effects.append(.ended(id, .failure(.stopped(reason)))) }
        underWay = CommandTable()
        layer.asked = []
        leaving = nil
        layer.effects.append(.stop(reason))
    }
}
