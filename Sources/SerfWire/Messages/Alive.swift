// SPDX-License-Identifier: Apache-2.0

/// "I am here, and this is what I am": said by a node of itself, and passed on by others.
public struct Alive: Sendable, Hashable {
    /// The life that the node is in; it alone raises it.
    public var incarnation: UInt32
    public var node: String
    /// Where it is reached.
    ///
    /// The bytes of the address are passed on as they came.
    public var endpoint: Endpoint
    /// What the layer above says of the node: ``Tags``.
    ///
    /// Passed on untouched, since a map written anew would look like a change.
    public var meta: [UInt8]
    public var versions: Versions

    public init(
        incarnation: UInt32, node: String, endpoint: Endpoint, meta: [UInt8], versions: Versions
    ) {
        self.incarnation = incarnation
        self.node = node
        self.endpoint = endpoint
        self.meta = meta
        self.versions = versions
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        var (incarnation, node, port) = (UInt32(0), "", UInt16(0))
        var (address, meta, versions) = (IPAddress?.none, [UInt8](), Versions.none)
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "Incarnation": incarnation = try reader.integer()
            case "Node": node = try reader.text()
            case "Addr": address = try reader.address()
            case "Port": port = try reader.integer()
            case "Meta": meta = try reader.data()
            case "Vsn": versions = try Versions(from: &reader)
            default: try reader.skip()
            }
        }
        guard let address else { throw .malformed("an alive message has no address") }
        guard !node.isEmpty else { throw .malformed("an alive message has no name") }
        self.init(
            incarnation: incarnation, node: node, endpoint: Endpoint(address: address, port: port),
            meta: meta, versions: versions)
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(6)
        writer.writeKey("Addr")
        writer.write(endpoint.address)
        writer.writeKey("Incarnation")
        writer.write(incarnation)
        writer.writeKey("Meta")
        writer.writeOrNil(meta)
        writer.writeKey("Node")
        writer.write(node)
        writer.writeKey("Port")
        writer.write(endpoint.port)
        writer.writeKey("Vsn")
        versions.encode(into: &writer)
    }
}
