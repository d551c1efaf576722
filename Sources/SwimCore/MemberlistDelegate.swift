// SPDX-License-Identifier: Apache-2.0

public import SerfWire

/// The layer above a ``Memberlist``: what it adds to the messages, and hears of the members.
///
/// A call is synchronous and part of one transition: the list has changed when it is told, and must
/// not be touched from inside of the call.
public protocol MemberlistDelegate {
    /// What goes with our records in a push/pull; at most 20 MiB.
    func pushPullState(isJoin: Bool) -> [UInt8]
    /// What a peer has sent so; never empty. Its records are merged already.
    mutating func merge(
        pushPullState: [UInt8], isJoin: Bool, at now: Moment, into effects: inout [SwimEffect])
    /// Why nothing of what a peer sends is to be merged, or `nil`.
    ///
    /// Asked of each push/pull, join or not. One record that is not wanted can be refused alone, by
    /// ``refusal(of:)``; to refuse all because of it cuts us off from the peer.
    func refusal(ofMerging nodes: [NodeState]) -> String?
    /// Why a node is not to be let in or changed, or `nil`. Never asked about ourselves.
    func refusal(of alive: Alive) -> String?
    /// What goes with our acks.
    mutating func ackPayload() -> [UInt8]
    /// A node has answered our ping itself, over UDP and within the probe timeout.
    mutating func acknowledged(_ node: SwimNode, roundTrip: Duration, payload: [UInt8])
    /// Messages to gossip, from their memberlist type byte on (8 and so forth).
    ///
    /// Asked when a packet has room for `budget` more bytes. Each message costs its own size and
    /// `overhead` bytes; what does not fit stays for another packet.
    mutating func broadcasts(overhead: Int, budget: Int) -> [[UInt8]]
    /// Whether there is something to gossip.
    var hasBroadcasts: Bool { get }
    /// A node is alive that was not, or was not known.
    mutating func joined(_ node: SwimNode, at now: Moment)
    /// A node's meta is another one.
    mutating func updated(_ node: SwimNode, at now: Moment)
    /// A node is gone; its state says dead or left.
    mutating func left(_ node: SwimNode, at now: Moment)
    /// A node says that it is alive under a name that another address has; maybe our own.
    mutating func conflicted(known: SwimNode, other: Alive, at now: Moment)
    /// A message for this layer, without the leading 8.
    mutating func received(
        userMessage: [UInt8], at now: Moment, into effects: inout [SwimEffect])
}

/// A memberlist with nothing above it: no user messages, everybody is let in.
public struct Alone: MemberlistDelegate, Sendable {
    /// Nothing to set.
    public init() {}

    /// Always empty.
    public func pushPullState(isJoin: Bool) -> [UInt8] { [] }
    /// Not looked at.
    public mutating func merge(
        pushPullState: [UInt8], isJoin: Bool, at now: Moment, into effects: inout [SwimEffect]
    ) {}
    /// Never refused.
    public func refusal(ofMerging nodes: [NodeState]) -> String? { nil }
    /// Never refused.
    public func refusal(of alive: Alive) -> String? { nil }
    /// Always empty.
    public mutating func ackPayload() -> [UInt8] { [] }
    /// Not used.
    public mutating func acknowledged(_ node: SwimNode, roundTrip: Duration, payload: [UInt8]) {}
    /// Nothing.
    public mutating func broadcasts(overhead: Int, budget: Int) -> [[UInt8]] { [] }
    /// Never.
    public var hasBroadcasts: Bool { false }
    /// Not used.
    public mutating func joined(_ node: SwimNode, at now: Moment) {}
    /// Not used.
    public mutating func updated(_ node: SwimNode, at now: Moment) {}
    /// Not used.
    public mutating func left(_ node: SwimNode, at now: Moment) {}
    /// Not used.
    public mutating func conflicted(known: SwimNode, other: Alive, at now: Moment) {}
    /// Not looked at.
    public mutating func received(
        userMessage: [UInt8], at now: Moment, into effects: inout [SwimEffect]
    ) {}
}
