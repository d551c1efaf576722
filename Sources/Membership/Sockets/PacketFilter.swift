// SPDX-License-Identifier: Apache-2.0

package import SerfWire

/// Decides in tests which packets and streams are lost: by peer, by direction, by what is in them.
package struct PacketFilter: Sendable {
    /// Where to.
    package enum Direction: Sendable, Hashable {
        /// From a peer to this node.
        case incoming
        /// From this node to a peer.
        case outgoing
    }

    /// A packet, or the request of a stream, in plain bytes.
    package struct Packet: Sendable {
        package var direction: Direction
        /// The other side; the port of an accepted stream is a passing one.
        package var peer: Endpoint
        /// Whether this is the request of a stream; its answer goes the way of the request.
        package var isStream: Bool
        package var bytes: [UInt8]

        /// What is in it; empty for what cannot be read.
        package var messages: [SwimMessage] {
            if isStream {
                // A filter has no opinion on what cannot be read.
                return (try? StreamBody.decode(bytes)).map { [$0] } ?? []
            }
            var unreadable = 0
            return (try? SerfWire.Packet.decode(bytes, unreadable: &unreadable)) ?? []
        }
    }

    /// Whether to lose a packet; called on the node's event loop.
    package var drops: @Sendable (Packet) -> Bool

    package init(drops: @escaping @Sendable (Packet) -> Bool) { self.drops = drops }
}
