// SPDX-License-Identifier: Apache-2.0

/// "That node does not answer me": the first step of failure in SWIM (Das, Gupta, Motivala 2002).
public struct Suspect: Sendable, Hashable {
    /// The life of the node that is meant: what the node last said of itself.
    public var incarnation: UInt32
    /// Who is suspected.
    public var node: String
    /// Who suspects: each name counts once as a confirmation.
    public var from: String

    public init(incarnation: UInt32, node: String, from: String) {
        self.incarnation = incarnation
        self.node = node
        self.from = from
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        let rumor = try RumorFields(from: &reader)
        self.init(incarnation: rumor.incarnation, node: rumor.node, from: rumor.from)
    }

    func encode(into writer: inout MessagePackWriter) {
        RumorFields(incarnation: incarnation, node: node, from: from).encode(into: &writer)
    }
}

/// "That node is gone": it failed, or it left if the node says so itself.
public struct Dead: Sendable, Hashable {
    /// The life of the node that has ended.
    public var incarnation: UInt32
    /// Who is gone.
    public var node: String
    /// Who says so: the node itself when it leaves.
    public var from: String

    /// Whether the node says it of itself, which is leaving.
    public var isLeave: Bool { from == node }

    public init(incarnation: UInt32, node: String, from: String) {
        self.incarnation = incarnation
        self.node = node
        self.from = from
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        let rumor = try RumorFields(from: &reader)
        self.init(incarnation: rumor.incarnation, node: rumor.node, from: rumor.from)
    }

    func encode(into writer: inout MessagePackWriter) {
        RumorFields(incarnation: incarnation, node: node, from: from).encode(into: &writer)
    }
}

/// What ``Suspect`` and ``Dead`` have in common: all of it.
private struct RumorFields {
    var incarnation: UInt32
    var node: String
    var from: String

    init(incarnation: UInt32, node: String, from: String) {
        self.incarnation = incarnation
        self.node = node
        self.from = from
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(incarnation: 0, node: "", from: "")
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "Incarnation": incarnation = try reader.integer()
            case "Node": node = try reader.text()
            case "From": from = try reader.text()
            default: try reader.skip()
            }
        }
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(3)
        writer.writeKey("From")
        writer.write(from)
        writer.writeKey("Incarnation")
        writer.write(incarnation)
        writer.writeKey("Node")
        writer.write(node)
    }
}
