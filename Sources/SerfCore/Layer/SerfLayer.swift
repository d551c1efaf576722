// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import SerfWire
internal import SwimCore

/// What Serf adds to a memberlist: tags, intents, events, queries, keys, coordinates.
///
/// The memberlist calls it in the middle of its own transitions, so it never calls back: what it wants
/// done there it leaves as an ``Errand``, which ``Serf`` runs when the call has returned. It belongs to
/// one ``Serf``.
struct SerfLayer: Sendable {
    /// What the memberlist is to do when it is free.
    enum Errand: Sendable, Equatable {
        /// Send a message of Serf's, from its type byte on, alone in a packet.
        case send([UInt8], to: Endpoint)
        /// Exchange all that is known with a node that may be back.
        case exchange(with: Endpoint)
    }

    let settings: SerfSettings
    let name: String
    let endpoint: Endpoint
    var keyring: Keyring?
    var phase = Serf.Phase.new
    var now: Moment
    var random: SplitMix64

    var memberClock = LamportClock()
    var eventClock = LamportClock()
    var queryClock = LamportClock()

    var members = MemberTable()
    var intents: IntentBuffer
    var events: EventRing
    var seenQueries: QueryRing
    /// Queries of this node's that wait for answers.
    var asked: [AskedQuery] = []
    /// Queries of others that wait for this node's answer.
    var received: ReceivedQueries
    var vivaldi: Vivaldi

    var intentQueue: TransmitQueue
    var queryQueue: TransmitQueue
    var eventQueue: TransmitQueue

    /// When members are looked through next for those that are gone for too long.
    var nextReap: Moment?
    /// When a failed member may be tried next.
    var nextReconnect: Moment?
    /// Whether the push/pull that is being merged belongs to a join without old events.
    var ignoresOldEvents = false

    var effects: [SerfEffect] = []
    var errands: [Errand] = []
    /// Why the node has to stop at the end of this call.
    var stopReason: StopReason?

    init(
        settings: SerfSettings, name: String, endpoint: Endpoint, keyring: Keyring?, seed: UInt64,
        at now: Moment
    ) {
        self.settings = settings
        self.name = name
        self.endpoint = endpoint
        self.keyring = keyring
        self.now = now
        random = SplitMix64(seed: seed)
        intents = IntentBuffer(countMax: settings.intentCountMax)
        events = EventRing(slotCount: settings.eventBuffer)
        seenQueries = QueryRing(slotCount: settings.queryBuffer)
        received = ReceivedQueries(countMax: settings.openCountMax)
        vivaldi = Vivaldi(seed: random.next())
        intentQueue = TransmitQueue(depthMax: settings.queueDepthMax)
        queryQueue = TransmitQueue(depthMax: settings.queueDepthMax)
        eventQueue = TransmitQueue(depthMax: settings.queueDepthMax)
    }

    /// Tells the application. Members that change alike, one after the other, are told of together.
    mutating func tell(_ event: SerfEvent) {
        if case .event(let last)? = effects.last, let both = last.joined(with: event) {
            effects[effects.count - 1] = .event(both)
        } else {
            effects.append(.event(event))
        }
    }

    mutating func observe(_ observation: SerfObservation) {
        effects.append(.observe(observation))
    }

    // MARK: Gossip

    /// How often a message is sent.
    var transmitLimit: Int {
        max(1, settings.swim.retransmitMult * Decades.above(members.count))
    }

    /// Queues a message for all members.
    ///
    /// - Parameter message: From Serf's type byte on. One that no packet can hold is never sent by
    ///   anybody, so it is not queued either.
    /// - Returns: Its number in the queue; `nil` if it was not queued.
    @discardableResult
    mutating func gossip(
        _ message: [UInt8], through queue: SerfQueue, isAwaited: Bool = false
    ) -> UInt64? {
        let swim = settings.swim
        let whole = [UserMessage.type] + message
        let room = swim.packetBytesMax - swim.packetOverhead - Packet.compoundOverhead
        guard whole.count + Packet.partOverhead <= room else { return nil }
        let number: UInt64
        let dropped: Int
        switch queue {
        case .intents: (number, dropped) = intentQueue.add(whole, isAwaited: isAwaited)
        case .queries: (number, dropped) = queryQueue.add(whole, isAwaited: isAwaited)
        case .events: (number, dropped) = eventQueue.add(whole, isAwaited: isAwaited)
        }
        if dropped > 0 { observe(.queueOverflow(queue, dropped: dropped)) }
        return number
    }
}

/// The byte by which the memberlist knows that a message is Serf's.
enum UserMessage {
    static let type: UInt8 = 8
}

extension SerfEvent {
    /// Both events as one, if they are of one kind and about members.
    fileprivate func joined(with other: SerfEvent) -> SerfEvent? {
        switch (self, other) {
        case (.joined(let first), .joined(let second)): .joined(first + second)
        case (.left(let first), .left(let second)): .left(first + second)
        case (.failed(let first), .failed(let second)): .failed(first + second)
        case (.updated(let first), .updated(let second)): .updated(first + second)
        case (.reaped(let first), .reaped(let second)): .reaped(first + second)
        default: nil
        }
    }
}
