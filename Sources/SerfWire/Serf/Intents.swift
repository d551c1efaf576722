// SPDX-License-Identifier: Apache-2.0

/// "That member leaves": said before it goes, so that it counts as left and not as failed; or by an
/// operator of a member that failed.
public struct LeaveIntent: Sendable, Hashable {
    public var time: LamportTime
    public var node: String
    /// Whether the member is to be forgotten at once.
    public var prune: Bool

    public init(time: LamportTime, node: String, prune: Bool) {
        self.time = time
        self.node = node
        self.prune = prune
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(time: LamportTime(0), node: "", prune: false)
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "LTime": time = try LamportTime(from: &reader)
            case "Node": node = try reader.text()
            case "Prune": prune = try reader.bool()
            default: try reader.skip()
            }
        }
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(3)
        writer.writeKey("LTime")
        writer.write(time)
        writer.writeKey("Node")
        writer.write(node)
        writer.writeKey("Prune")
        writer.write(prune)
    }
}

/// "That member joins", or has not left after all.
public struct JoinIntent: Sendable, Hashable {
    public var time: LamportTime
    public var node: String

    public init(time: LamportTime, node: String) {
        self.time = time
        self.node = node
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(time: LamportTime(0), node: "")
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "LTime": time = try LamportTime(from: &reader)
            case "Node": node = try reader.text()
            default: try reader.skip()
            }
        }
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(2)
        writer.writeKey("LTime")
        writer.write(time)
        writer.writeKey("Node")
        writer.write(node)
    }
}
