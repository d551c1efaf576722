// SPDX-License-Identifier: Apache-2.0

internal import DequeModule
public import Positions

/// What a leader knows of one follower or learner.
///
/// ```
///          match                next                 last
/// ───────────┤──── on their way ──┤── not sent yet ────┤
/// ```
struct Progress: Sendable, Equatable {
    /// How entries are sent.
    enum State: Sendable, Equatable {
        /// Where the logs part is not known: one message at a time.
        case probe
        /// As many messages on their way as the window allows.
        case replicate
        /// The follower's log ends before this one begins; it was told to begin behind this entry.
        case snapshot(LogIndex)
    }

    let id: ReplicaID
    /// The last entry that the follower has said to have on its disk.
    var match = LogIndex.zero
    /// The next entry to send.
    var next: LogIndex
    var state = State.probe
    /// A probe is on its way.
    var probeIsOut = false
    /// Heard since the last time a majority was counted.
    var isActive = true
    /// The last round of heartbeats that it has answered.
    var round: UInt64 = 0
    /// Entries that the shell is reading for this follower.
    var storedIsOut = false
    /// What it had when it last answered a heartbeat.
    var matchAtHeartbeat = LogIndex.zero
    /// For how many ticks in a row it has been close behind.
    var closeTicks = 0
    /// Ticks since a snapshot was sent.
    var snapshotTicks = 0

    /// How many messages may be on their way: few after the logs were found to part, and twice as
    /// many with each answer, so that a network that reorders is not flooded with repeats.
    private(set) var window = Self.windowLeast
    private static let windowLeast = 2

    private(set) var inflight: Deque<Inflight> = []
    private(set) var inflightBytes = 0

    struct Inflight: Sendable, Equatable {
        var last: LogIndex
        var bytes: Int
    }

    init(id: ReplicaID, next: LogIndex) {
        self.id = id
        self.next = next
    }

    mutating func note(sent last: LogIndex, bytes: Int) {
        inflight.append(Inflight(last: last, bytes: bytes))
        inflightBytes += bytes
    }

    /// Takes out what has arrived.
    mutating func release(upTo index: LogIndex) {
        while let first = inflight.first, first.last <= index { releaseFirst() }
    }

    mutating func releaseFirst() {
        guard let first = inflight.popFirst() else { return }
        inflightBytes -= first.bytes
    }

    mutating func widenWindow() { window = min(window * 2, 1 << 16) }

    /// Begins anew, with nothing on its way.
    mutating func narrowWindow() {
        window = Self.windowLeast
        releaseAll()
    }

    mutating func releaseAll() {
        inflight.removeAll(keepingCapacity: true)
        inflightBytes = 0
    }

    func isFull(_ settings: RaftSettings) -> Bool {
        inflight.count >= max(1, min(window, settings.inflightMessagesMax))
            || (inflightBytes >= settings.inflightBytesMax && !inflight.isEmpty)
    }
}

/// What a leader tells of one follower.
public struct FollowerReport: Sendable, Equatable {
    public var id: ReplicaID
    public var isVoter: Bool
    /// The last entry that it has on its disk.
    public var match: LogIndex
    /// The next entry to be sent to it.
    public var next: LogIndex
    public var state: String
    /// Heard within the last election timeout.
    public var isActive: Bool
    public var messagesInFlight: Int

    init(_ progress: Progress, isVoter: Bool) {
        id = progress.id
        self.isVoter = isVoter
        match = progress.match
        next = progress.next
        isActive = progress.isActive
        messagesInFlight = progress.inflight.count
        state =
            switch progress.state {
            case .probe: "probe"
            case .replicate: "replicate"
            case .snapshot: "snapshot"
            }
    }
}
