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
    /// What the keyring has become in this call.
    var changedKeyring: Keyring?
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

    // They never replace a message by another: each intent, query and event is news of its own.
    var intentQueue: GossipQueue
    var queryQueue: GossipQueue
    var eventQueue: GossipQueue

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
        let queue = GossipQueue(lengthMax: Self.messageSizeMax(settings.swim))
        (intentQueue, queryQueue, eventQueue) = (queue, queue, queue)
    }

    /// Tells the application.
    ///
    /// Members that change alike, one after the other, are told of together.
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

    /// What a message may take that is gossiped, in bytes, from the memberlist's type byte on.
    ///
    /// No packet can hold a longer one, so nobody sends it, and it is not queued either.
    private static func messageSizeMax(_ swim: SwimSettings) -> Int {
        swim.packetBytesMax - swim.packetOverhead - Packet.compoundOverhead - Packet.partOverhead
    }

    /// Queues a message for all members.
    ///
    /// - Parameter message: From Serf's type byte on.
    /// - Returns: Its number in the queue.
    @discardableResult
    mutating func gossip(
        _ message: [UInt8], through queue: SerfQueue, isTracked: Bool = false
    ) -> BroadcastID {
        let whole = [UserMessage.type] + message
        let depthMax = max(1, settings.queueDepthMax)
        let (id, dropped) =
            switch queue {
            case .intents: intentQueue.add(whole, isTracked: isTracked, depthMax: depthMax)
            case .queries: queryQueue.add(whole, isTracked: isTracked, depthMax: depthMax)
            case .events: eventQueue.add(whole, isTracked: isTracked, depthMax: depthMax)
            }
        if dropped > 0 { observe(.queueOverflow(queue, dropped: dropped)) }
        return id
    }
}

extension GossipQueue {
    /// Queues a message, and drops the most sent ones if there are too many now.
    fileprivate mutating func add(
        _ message: [UInt8], isTracked: Bool, depthMax: Int
    ) -> (id: BroadcastID, dropped: Int) {
        let id = queue(message, isTracked: isTracked)
        return (id, prune(to: depthMax))
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
