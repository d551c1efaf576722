// SPDX-License-Identifier: Apache-2.0

/// A name that keeps clusters apart which share a network, in front of all that is sent.
///
/// It is memberlist's since 0.3; no agent has a setting for it.
///
///     f4   length u8, 1 to 255   label   packet, or the stream of who has dialled
///
/// With encryption the label is part of what is authenticated as well, in both directions.
public enum Label {
    /// The longest label.
    public static let sizeMax = 255
    /// The label's type byte and length byte.
    public static let headerOverhead = 2

    /// What goes in front: nothing for no label.
    public static func header(_ label: [UInt8]) -> [UInt8] {
        precondition(label.count <= sizeMax, "a label has at most \(sizeMax) bytes")
        return label.isEmpty ? [] : [SwimType.label, UInt8(label.count)] + label
    }

    /// The packet with the label in front, or as it is for no label.
    public static func wrap(_ packet: [UInt8], label: [UInt8]) -> [UInt8] {
        label.isEmpty ? packet : header(label) + packet
    }

    /// The packet behind its label.
    ///
    /// - Parameters:
    ///   - packet: The packet as it came.
    ///   - label: The only label that is let in; empty, only a packet without one is.
    /// - Throws: ``WireError/wrongLabel``, or ``WireError/truncated`` where a label is begun.
    public static func unwrap(_ packet: [UInt8], label: [UInt8]) throws(WireError) -> [UInt8] {
        guard packet.first == SwimType.label else {
            guard label.isEmpty else { throw .wrongLabel }
            return packet
        }
        guard packet.count >= headerOverhead else { throw .truncated }
        let end = headerOverhead + Int(packet[1])
        guard packet.count >= end else { throw .truncated }
        guard !label.isEmpty, packet[headerOverhead..<end] == label[...] else { throw .wrongLabel }
        return [UInt8](packet[end...])
    }
}
