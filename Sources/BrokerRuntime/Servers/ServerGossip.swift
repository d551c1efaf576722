// SPDX-License-Identifier: Apache-2.0

public import Faults

/// The door to a server's gossip: what operators ask of it.
///
/// Who is there does not come through here; it stands in the ``ServerRegistry``. Every call throws
/// ``Faults/ErrorCode/gossipNotRunning`` where gossip is off, has left or has failed.
public protocol ServerGossip: Sendable {
    /// How it does.
    var status: GossipStatus { get }

    /// How badly it keeps up, Lifeguard's local health: 0 is well, up to 7.
    func healthScore() async -> Int

    /// Joins the members at some addresses.
    ///
    /// - Throws: ``Faults/ErrorCode/joinFailed`` if none answered,
    ///   ``Faults/ErrorCode/invalidArgument`` for what is no address.
    func join(_ addresses: [String], replayEvents: Bool) async throws(Fault) -> JoinOutcome

    /// Leaves, for as long as this process lives.
    func leave() async throws(Fault)

    /// Lets a failed member count as left.
    ///
    /// - Parameter prune: Whether it is forgotten too.
    /// - Throws: ``Faults/ErrorCode/memberNotFound``.
    func forceLeave(_ name: String, prune: Bool) async throws(Fault)

    /// Sends a user event to all members.
    ///
    /// - Throws: ``Faults/ErrorCode/invalidArgument`` for one that is too large.
    func send(event name: String, payload: [UInt8], mayCoalesce: Bool) async throws(Fault)

    /// Asks members; what they say comes out until the query's time is over.
    ///
    /// - Throws: ``Faults/ErrorCode/invalidArgument`` for a query that cannot be sent.
    func query(_ query: MemberQuery) async throws(Fault) -> AsyncStream<MemberQuery.News>

    /// Asks every member to acknowledge; who does comes out until the time is over.
    ///
    /// - Parameter timeout: How long; by the number of members when `nil`.
    /// - Returns: The members that are alive as far as is known, by name, and who acknowledges.
    func checkReachability(
        timeout: Duration?
    ) async throws(Fault) -> (asked: [String], acknowledgements: AsyncStream<String>)

    /// Changes the keys of all members.
    ///
    /// - Throws: ``Faults/ErrorCode/gossipNotEncrypted``, and
    ///   ``Faults/ErrorCode/invalidArgument`` for what is no key.
    func changeKey(_ action: KeyAction, _ key: [UInt8]) async throws(Fault) -> KeyOutcome

    /// Asks all members for their keys.
    ///
    /// - Throws: ``Faults/ErrorCode/gossipNotEncrypted``.
    func listKeys() async throws(Fault) -> KeyOutcome

    /// The time of a packet between two members and back, as their coordinates estimate it.
    ///
    /// - Throws: ``Faults/ErrorCode/memberNotFound`` for a member that is not known, or whose
    ///   coordinate is not.
    func roundTrip(from: String, to: String) async throws(Fault) -> Duration
}

/// How the gossip of a server does.
public struct GossipStatus: Sendable, Equatable {
    /// Whether it runs.
    public enum State: String, Sendable, Equatable {
        /// It will take part in a moment.
        case starting
        /// It takes part.
        case running
        /// It has left, as it was asked to.
        case left
        /// It has ended by itself; ``GossipStatus/detail`` says why.
        case failed
        /// The settings have turned it off.
        case off
    }

    /// Whether it runs.
    public var state: State
    /// Why it does not; empty where it does.
    public var detail: String
    /// The server's name among the members.
    public var name: String
    /// Where it is reached by others, as `host:port`; empty where it is off.
    public var address: String
    /// Whether what it sends is encrypted.
    public var isEncrypted: Bool
    /// The cluster that it belongs to.
    public var cluster: String

    /// A status with these values.
    public init(
        state: State, detail: String = "", name: String, address: String = "",
        isEncrypted: Bool = false, cluster: String
    ) {
        self.state = state
        self.detail = detail
        self.name = name
        self.address = address
        self.isEncrypted = isEncrypted
        self.cluster = cluster
    }

    /// The fault of a call to gossip that does not run.
    public var fault: Fault {
        switch state {
        case .off:
            Fault(
                .gossipNotRunning, "gossip is turned off on this server",
                hint: "Set gossip.bind to an address and restart the server.")
        case .left:
            Fault(
                .gossipNotRunning, "this server has left the cluster",
                hint: "Restart it: it takes part again.")
        case .starting:
            Fault(.gossipNotRunning, "gossip is starting", hint: "Try again in a moment.")
        case .running, .failed:
            Fault(
                .gossipNotRunning,
                "gossip does not run" + (detail.isEmpty ? "" : ": \(detail)"))
        }
    }
}

/// The gossip of a server that has none.
public struct AbsentGossip: ServerGossip {
    public let status: GossipStatus

    /// Gossip that is off.
    public init(name: String, cluster: String) {
        status = GossipStatus(state: .off, name: name, cluster: cluster)
    }

    public func healthScore() async -> Int { 0 }

    public func join(
        _ addresses: [String], replayEvents: Bool
    ) async throws(Fault) -> JoinOutcome { throw status.fault }

    public func leave() async throws(Fault) { throw status.fault }

    public func forceLeave(_ name: String, prune: Bool) async throws(Fault) { throw status.fault }

    public func send(
        event name: String, payload: [UInt8], mayCoalesce: Bool
    ) async throws(Fault) { throw status.fault }

    public func query(
        _ query: MemberQuery
    ) async throws(Fault) -> AsyncStream<MemberQuery.News> { throw status.fault }

    public func checkReachability(
        timeout: Duration?
    ) async throws(Fault) -> (asked: [String], acknowledgements: AsyncStream<String>) {
        throw status.fault
    }

    public func changeKey(
        _ action: KeyAction, _ key: [UInt8]
    ) async throws(Fault) -> KeyOutcome { throw status.fault }

    public func listKeys() async throws(Fault) -> KeyOutcome { throw status.fault }

    public func roundTrip(from: String, to: String) async throws(Fault) -> Duration {
        throw status.fault
    }
}
