// SPDX-License-Identifier: Apache-2.0

public import Bytes
public import SerfWire

/// One node's view of who is in the cluster, and its part in keeping all views equal.
///
/// ```
///              alive, newer                     ┌────── alive, newer ──────┐
///            ┌─────────────┐                    ▼                          │
///  unknown ──┴──▶ alive ──suspect──▶ suspect ──timer or dead──▶ dead ──────┘
///                   │                   │                         │
///                   └── dead from the node itself ──▶ left        └─ time ─▶ unknown
/// ```
///
/// A value with one owner, who hands in what happens and performs the effects in order. It reads no
/// clock and draws chance from its seed: equal inputs have equal effects. Each call is told the
/// moment, which never goes back; ``nextDeadline`` is when ``tick(at:delegate:into:)`` is wanted.
///
/// The algorithm is SWIM (Das, Gupta, Motivala 2002) with suspicion, and Lifeguard (Dadgar, Phillips,
/// Currey 2018): health score, nacks, suspicion that confirmations shorten, pings that tell a suspect.
/// Beyond both it has push/pull, pings over TCP, and names that are not addresses, as Serf 0.9 and
/// 0.10 do. It differs from those in that gossip goes along with acks to members' addresses only, so
/// that a stranger's pings do not use up what others are to hear; that a node without versions is not
/// let in; and that tables and queues have limits (``SwimSettings``).
///
/// Invariants, asserted where they could break:
/// - while a record is held, its incarnation does not fall, but for a new owner of the name;
/// - we are alive in our own table until we leave, whoever says what;
/// - each suspect has one timer, each timer of a suspicion one suspect;
/// - one call does work bounded by what it was given and by the settings' limits.
public struct Memberlist: Sendable {
    /// Our name.
    public let name: String
    /// What we are set to.
    public let settings: SwimSettings
    /// Sums since the start.
    public internal(set) var counters = SwimCounters()
    /// 0 when we are well, up to ``SwimSettings/awarenessMax`` - 1: Lifeguard's multiplier.
    public internal(set) var healthScore = 0
    /// Whether ``leave(at:delegate:)`` was called.
    public internal(set) var isLeaving = false
    /// Whether ``start(at:delegate:into:)`` was called.
    public internal(set) var isStarted = false

    var table = NodeTable()
    var queue: GossipQueue
    /// Messages that found no room in the queue since the last gossip.
    var droppedBroadcasts = 0
    var timers = TimerQueue<TimerPurpose>()
    var random: SplitMix64
    var now: Moment
    /// The number of the last ping that we sent.
    var sequence: UInt32
    var probe: Probe?
    /// A probe was due while another one was on its way.
    var owesProbe = false
    var relays: [UInt32: Relay] = [:]
    var exchanges: [StreamID: Exchange] = [:]
    var pushPullsInFlight = 0
    var lastStream: UInt64 = 0
    var outcomes: [PushPullOutcome] = []

    /// A node that knows only itself, and is about to say so.
    ///
    /// - Parameters:
    ///   - name: One of its kind in the cluster; 1 to ``SwimNode/nameBytesMax`` bytes.
    ///   - endpoint: Where others reach us: never an unspecified address.
    ///   - meta: What we say about ourselves: at most 512 bytes, lest gossip has no room for it.
    ///   - seed: What chance is drawn from; another one for each node.
    public init(
        name: String, endpoint: Endpoint, meta: [UInt8], settings: SwimSettings, seed: UInt64,
        at now: Moment
    ) {
        settings.check()
        precondition(SwimNode.isName(name), "\(name.utf8.count) bytes are no name")
        precondition(meta.count <= SwimNode.metaBytesMax, "\(meta.count) bytes of meta")
        self.name = name
        self.settings = settings
        self.now = now
        queue = GossipQueue(lengthMax: settings.partsBudget - Packet.partOverhead)
        random = SplitMix64(seed: seed)
        // Strangers cannot guess what an answer must look like.
        sequence = UInt32.random(in: 1...UInt32.max, using: &random)
        let node = SwimNode(
            name: name, endpoint: endpoint, meta: meta, versions: .current, incarnation: 1,
            state: .alive, changed: now)
        table.insert(node, using: &random)
        broadcast(.alive(node.alive), about: name)
    }

    // MARK: What callers may know

    /// Ourselves.
    public var localNode: SwimNode {
        guard let record = table[name] else {
            preconditionFailure("\(name) is not in its own table")
        }
        return record.node
    }

    /// A node by its name; those that are dead or left, too, until they are forgotten.
    public func node(named name: String) -> SwimNode? { table[name]?.node }

    /// All nodes, sorted by name.
    ///
    /// Costs a sort.
    public var nodes: [SwimNode] { table.records.map(\.node).sorted { $0.name < $1.name } }

    /// How many nodes there are, ourselves, the dead and those that left included.
    public var nodeCount: Int { table.count }

    /// How many nodes are alive, ourselves included.
    public var aliveCount: Int { table.count(of: .alive) }

    /// Whether somebody else is there to hear us: alive or suspect.
    public var hasCompany: Bool {
        let isCounted = localNode.state == .alive
        return aliveCount + table.count(of: .suspect) > (isCounted ? 1 : 0)
    }

    /// How many nodes are in a state.
    public func nodeCount(of state: Liveness) -> Int { table.count(of: state) }

    /// How many messages wait to be gossiped, the delegate's not among them.
    public var queuedBroadcasts: Int { queue.count }

    /// When ``tick(at:delegate:into:)`` is wanted; `nil` before the start.
    public var nextDeadline: Moment? { timers.nextDeadline }

    /// Draws different nodes that are alive and not ourselves, with the caller's chance.
    public func randomAliveNodes(
        _ countMax: Int, excluding names: [String] = [], using random: inout SplitMix64,
        where isWanted: (SwimNode) -> Bool = { _ in true }
    ) -> [SwimNode] {
        table.sample(countMax, using: &random) { node in
            node.state == .alive && node.name != name && !names.contains(node.name)
                && isWanted(node)
        }
    }

    /// The tracked broadcasts that are done since the last call: sent as often as they are to be, or
    /// replaced by something newer about us.
    public mutating func takeFinishedBroadcasts() -> [BroadcastID] { queue.takeFinished() }

    /// How the push/pulls ended that were asked for, since the last call.
    public mutating func takePushPullOutcomes() -> [PushPullOutcome] {
        defer { outcomes = [] }
        return outcomes
    }
}
