// SPDX-License-Identifier: Apache-2.0

/// What a node believes of another one.
public enum Liveness: UInt8, Sendable, Hashable, CaseIterable {
    case alive = 0
    case suspect
    case dead
    case left
}

/// One record of a node's table, as it goes over a stream.
public struct NodeState: Sendable, Hashable {
    public var name: String
    public var endpoint: Endpoint
    public var meta: [UInt8]
    public var incarnation: UInt32
    public var state: Liveness
    public var versions: Versions

    public init(
        name: String, endpoint: Endpoint, meta: [UInt8], incarnation: UInt32, state: Liveness,
        versions: Versions
    ) {
        self.name = name
        self.endpoint = endpoint
        self.meta = meta
        self.incarnation = incarnation
        self.state = state
        self.versions = versions
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        var (name, port, incarnation) = ("", UInt16(0), UInt32(0))
        var (address, meta, versions) = (IPAddress?.none, [UInt8](), Versions.none)
        var state = Liveness.alive
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "Name": name = try reader.text()
            case "Addr": address = try reader.address()
            case "Port": port = try reader.integer()
            case "Meta": meta = try reader.data()
            case "Incarnation": incarnation = try reader.integer()
            case "State": state = try Liveness(from: &reader)
            case "Vsn": versions = try Versions(from: &reader)
            default: try reader.skip()
            }
        }
        guard let address else { throw .malformed("a node has no address") }
        guard !name.isEmpty else { throw .malformed("a node has no name") }
        self.init(
            name: name, endpoint: Endpoint(address: address, port: port), meta: meta,
            incarnation: incarnation, state: state, versions: versions)
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(7)
        writer.writeKey("Addr")
        writer.write(endpoint.address)
        writer.writeKey("Incarnation")
        writer.write(incarnation)
        writer.writeKey("Meta")
        writer.writeOrNil(meta)
        writer.writeKey("Name")
        writer.write(name)
        writer.writeKey("Port")
        writer.write(endpoint.port)
        writer.writeKey("State")
        writer.write(state.rawValue)
        writer.writeKey("Vsn")
        versions.encode(into: &writer)
    }
}

extension Liveness {
    init(from reader: inout MessagePackReader) throws(WireError) {
        guard let state = Liveness(rawValue: try reader.integer(UInt8.self)) else {
            throw .malformed("a node's state is none of 0 to 3")
        }
        self = state
    }
}

/// All that a node knows, exchanged over a stream when it joins and now and then.
///
///     06  {Join, Nodes, UserStateLen}  {node} … {node}  user state
///         └──────── map ────────────┘  └ Nodes maps ─┘  └ UserStateLen bytes
public struct PushPull: Sendable, Hashable {
    /// Whether who asked joins; the answer repeats it.
    public var isJoin: Bool
    public var nodes: [NodeState]
    /// What the layer above says: a ``SerfState`` behind its type byte, or nothing.
    public var userState: [UInt8]
    /// Records that were left out in reading because something in them is not as it should be.
    ///
    /// One bad record that others took in must not keep a node from joining. Not written.
    public var unreadable: Int

    /// The most records that are read.
    public static let nodesMax = 1 << 20
    /// The longest user state that is read: 20 MiB.
    public static let userStateMax = 20 << 20

    public init(isJoin: Bool, nodes: [NodeState], userState: [UInt8]) {
        self.isJoin = isJoin
        self.nodes = nodes
        self.userState = userState
        unreadable = 0
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        let header = try PushPullHeader(from: &reader)
        self.init(isJoin: header.isJoin, nodes: [], userState: [])
        guard header.nodes + header.userStateLength <= reader.remaining else { throw .truncated }
        for _ in 0..<header.nodes {
            let start = reader.position
            do throws(WireError) {
                nodes.append(try NodeState(from: &reader))
            } catch {
                reader.position = start
                try reader.skip()
                unreadable += 1
            }
        }
        userState = try reader.copy(header.userStateLength)
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(3)
        writer.writeKey("Join")
        writer.write(isJoin)
        writer.writeKey("Nodes")
        writer.write(UInt64(nodes.count))
        writer.writeKey("UserStateLen")
        writer.write(UInt64(userState.count))
        for node in nodes { node.encode(into: &writer) }
        writer.append(userState)
    }
}

/// What stands before the records: how many there are, and how long the user state is.
struct PushPullHeader {
    var isJoin = false
    var nodes = 0
    var userStateLength = 0

    init(from reader: inout MessagePackReader) throws(WireError) {
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "Join": isJoin = try reader.bool()
            case "Nodes": nodes = try reader.integer()
            case "UserStateLen": userStateLength = try reader.integer()
            default: try reader.skip()
            }
        }
        guard nodes >= 0, userStateLength >= 0 else { throw .malformed("a count is negative") }
        guard nodes <= PushPull.nodesMax else { throw .tooLong(limit: PushPull.nodesMax) }
        guard userStateLength <= PushPull.userStateMax else {
            throw .tooLong(limit: PushPull.userStateMax)
        }
    }
}
