// SPDX-License-Identifier: Apache-2.0

public import SerfWire

/// What is known of a node.
public struct SwimNode: Sendable, Equatable {
    /// Its name: one of its kind in a cluster.
    public var name: String
    /// Where its packets and streams go.
    public var endpoint: Endpoint
    /// What it says about itself; Serf's tags, as they came.
    public var meta: [UInt8]
    /// Which protocols it speaks.
    public var versions: Versions
    /// How often it has said something new about itself: of two messages, the greater one holds.
    public var incarnation: UInt32
    /// Alive, suspect, dead or left.
    public var state: Liveness
    /// When ``state`` became what it is.
    public var changed: Moment

    /// A node by its parts.
    public init(
        name: String, endpoint: Endpoint, meta: [UInt8], versions: Versions, incarnation: UInt32,
        state: Liveness, changed: Moment
    ) {
        self.name = name
        self.endpoint = endpoint
        self.meta = meta
        self.versions = versions
        self.incarnation = incarnation
        self.state = state
        self.changed = changed
    }

    /// How long a name may be, in bytes.
    ///
    /// Longer ones are not let in.
    public static let nameBytesMax = 512
    /// How long a meta may be that we take from others, in bytes.
    ///
    /// Nodes should not send more than 512, and some do.
    public static let metaBytesMax = 2048

    /// Whether a name can be one: it is there, and not too long.
    static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= nameBytesMax
    }

    /// Dead or left: not to be probed.
    var isGone: Bool { state == .dead || state == .left }

    /// Whether a helper of its version answers that it has heard nothing.
    var canNack: Bool { versions.swimMax >= 4 }
    /// Whether it answers pings on streams.
    var canBePingedByStream: Bool { versions.swimMax >= 3 }
    /// Whether it takes packets with a checksum.
    var takesChecksums: Bool { versions.swimMax >= 5 }

    /// The message that says this of the node, as alive.
    var alive: Alive {
        Alive(
            incarnation: incarnation, node: name, endpoint: endpoint, meta: meta, versions: versions
        )
    }
}
