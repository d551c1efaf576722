// SPDX-License-Identifier: Apache-2.0

/// Why a packet or a stream was not taken, or not sent.
public enum DropReason: String, Sendable, Hashable, CaseIterable {
    /// It has not our label, or has one where we have none.
    case wrongLabel = "wrong-label"
    /// It is plain, and we have keys.
    case notEncrypted = "not-encrypted"
    /// It is encrypted, and we have no keys.
    case encrypted
    /// None of our keys opens it.
    case undecryptable
    /// The core cannot read it, or a part of it.
    case malformed
    /// A stream is longer than is allowed, or all streams together hold too much.
    case tooLong = "too-long"
    /// A stream was opened while as many as are allowed were open.
    case tooManyStreams = "too-many-streams"
    /// A stream's request was not whole in time.
    case tooSlow = "too-slow"
    /// The system does not send to this address.
    case unsendable
    /// The system's buffer for sending is full.
    case sendBufferFull = "send-buffer-full"
    /// A test wanted it so.
    case filtered
}

extension DropReason {
    init(_ refusal: PacketSeal.Refusal) {
        switch refusal {
        case .wrongLabel: self = .wrongLabel
        case .notEncrypted: self = .notEncrypted
        case .encrypted: self = .encrypted
        case .undecryptable: self = .undecryptable
        }
    }
}

/// Sums of a node's sockets since its start.
///
/// They only grow.
public struct SocketCounts: Sendable, Equatable {
    /// Packets that came, whatever they were.
    public internal(set) var packetsReceived = 0
    /// Their bytes.
    public internal(set) var packetBytesReceived = 0
    /// Packets that the system took.
    public internal(set) var packetsSent = 0
    /// Their bytes.
    public internal(set) var packetBytesSent = 0
    /// Streams that others opened.
    public internal(set) var streamsAccepted = 0
    /// Streams that this node opened.
    public internal(set) var streamsDialled = 0
    /// What was not taken or not sent, by reason; reasons that did not occur are missing.
    public internal(set) var dropped: [DropReason: Int] = [:]
}
