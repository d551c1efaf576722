// SPDX-License-Identifier: Apache-2.0

internal import SerfWire
internal import SwimCore

extension SerfLayer: MemberlistDelegate {
    var hasBroadcasts: Bool {
        !(intentQueue.isEmpty && queryQueue.isEmpty && eventQueue.isEmpty)
    }

    mutating func broadcasts(overhead: Int, budget: Int) -> [[UInt8]] {
        guard hasBroadcasts else { return [] }
        var messages: [[UInt8]] = []
        var room = budget
        let limit = transmitLimit
        func draw(from queue: inout GossipQueue) {
            let drawn = queue.draw(
                overhead: overhead, budget: room, limit: limit, countMax: Packet.partsMax)
            for message in drawn { room -= message.count + overhead }
            messages += drawn
        }
        draw(from: &intentQueue)
        draw(from: &queryQueue)
        draw(from: &eventQueue)
        return messages
    }

    mutating func received(
        userMessage: [UInt8], at now: Moment, into effects: inout [SwimEffect]
    ) {
        self.now = max(self.now, now)
        let message: SerfMessage
        do {
            message = try SerfMessage.decode(userMessage)
        } catch {
            // Unknown types are dropped, not passed on: nobody who knows them needs our help.
            observe(.malformed(error))
            return
        }
        take(message, as: userMessage)
    }

    private mutating func take(_ message: SerfMessage, as bytes: [UInt8]) {
        switch message {
        case .leave(let intent):
            if hear(intent) { gossip(bytes, through: .intents) }
        case .join(let intent):
            if hear(intent) { gossip(bytes, through: .intents) }
        case .userEvent(let event):
            if hear(event) { gossip(bytes, through: .events) }
        case .query(let query):
            if hear(query) { gossip(bytes, through: .queries) }
        case .response(let response): hear(response)
        case .relay(let header, let inner): relay(inner, by: header)
        case .state, .conflict, .keyRequest, .keyResponse:
            observe(.misplaced(bytes.first ?? 0))
        }
    }

    // MARK: Push/pull

    /// What a peer is told.
    ///
    /// It takes each status time for one of a join, so nothing is said of members that leave: whoever
    /// had not heard of it yet would find the intent to leave too old when it comes, and would see the
    /// member fail. (Serf 0.9 and 0.10 name them.)
    func pushPullState(isJoin: Bool) -> [UInt8] {
        let state = SerfState(
            time: memberClock.time,
            statusTimes: members.records.filter { $0.member.status != .leaving }.map {
                StatusTime(name: $0.member.name, time: $0.member.statusTime)
            },
            leftMembers: members.names(of: .left), eventTime: eventClock.time,
            events: events.filledSlots, queryTime: queryClock.time)
        return SerfMessage.state(state).encoded()
    }

    mutating func merge(
        pushPullState: [UInt8], isJoin: Bool, at now: Moment, into effects: inout [SwimEffect]
    ) {
        self.now = max(self.now, now)
        do {
            guard case .state(let state) = try SerfMessage.decode(pushPullState) else {
                observe(.misplaced(pushPullState.first ?? 0))
                return
            }
            merge(state, isJoin: isJoin)
        } catch {
            observe(.malformed(error))
        }
    }

    /// Takes in what a peer knows.
    ///
    /// None of it is passed on: those who need it exchange themselves.
    private mutating func merge(_ state: SerfState, isJoin: Bool) {
        memberClock.witness(clock: state.time)
        eventClock.witness(clock: state.eventTime)
        queryClock.witness(clock: state.queryTime)
        // Those who left come first, one later than their status, so that it counts where only their
        // join was heard of; the join intents that follow for all are then too old for them.
        var times: [String: LamportTime] = [:]
        for status in state.statusTimes { times[status.name] = status.time }
        for name in state.leftMembers {
            let time = times[name] ?? .zero
            _ = hear(LeaveIntent(time: time.next, node: name, prune: false))
        }
        for status in state.statusTimes {
            _ = hear(JoinIntent(time: status.time, node: status.name), isHearsay: true)
        }
        if isJoin, ignoresOldEvents { events.ignore(before: state.eventTime) }
        for slot in state.events {
            for event in slot.events {
                _ = hear(
                    UserEventMessage(
                        time: slot.time, name: event.name, payload: event.payload,
                        mayCoalesce: false))
            }
        }
    }
}
