// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

/// The one probe that is on its way.
///
/// ```
///  ping ── probe timeout ──▶ helpers and a stream ── end of the time ──▶ suspect
///    └── an ack, whoever brings it, at any time ──▶ alive
/// ```
struct Probe: Sendable {
    /// The node as it was when the probe began: its incarnation is the one to suspect.
    let node: SwimNode
    let sequence: UInt32
    let sent: Moment
    /// When a node that has not answered is suspected.
    var deadline: Moment
    /// Whether others have been asked.
    var isIndirect = false
    /// How many helpers will say so if they hear nothing.
    var nacksExpected = 0
    var nacks = 0
    /// The stream that is open for it.
    var stream: StreamID?
    /// Whether the node has answered on the stream.
    var isAnsweredByStream = false
    /// What it waits for: the probe timeout, then the end.
    var timer: TimerQueue<TimerPurpose>.ID
}

/// A ping that we sent for somebody else.
struct Relay: Sendable {
    let requester: Endpoint
    /// The requester's number for it.
    let sequence: UInt32
    let wantsNack: Bool
    let timer: TimerQueue<TimerPurpose>.ID
}

/// What a stream was opened for.
enum Exchange: Sendable {
    case probe
    /// `isAsked`: somebody waits for the outcome.
    case pushPull(with: Endpoint, isJoin: Bool, isAsked: Bool)
}

/// What is to be done when a timer fires.
enum TimerPurpose: Sendable {
    case probe
    case gossip
    case pushPull
    case probeTimeout
    case probeEnd
    case relayEnd(UInt32)
    case suspicionEnd(String)
}
