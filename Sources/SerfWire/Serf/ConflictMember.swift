// SPDX-License-Identifier: Apache-2.0

/// What a member knows of a name that two nodes claim: its answer to who asks.
public struct ConflictMember: Sendable, Hashable {
    public var name: String
    public var endpoint: Endpoint
    public var tags: [String: String]
    /// 0 none, 1 alive, 2 leaving, 3 left, 4 failed.
    public var status: UInt8
    public var versions: Versions

    public init(
        name: String, endpoint: Endpoint, tags: [String: String], status: UInt8, versions: Versions
    ) {
        self.name = name
        self.endpoint = endpoint
        self.tags = tags
        self.status = status
        self.versions = versions
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        let unknown = Endpoint(address: .v4(0), port: 0)
        self.init(name: "", endpoint: unknown, tags: [:], status: 0, versions: .none)
        var address: IPAddress?
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "Name": name = try reader.text()
            case "Addr": address = try reader.address()
            case "Port": endpoint.port = try reader.integer()
            case "Tags": tags = try reader.tags()
            case "Status": status = try reader.integer()
            case "ProtocolMin": versions.swimMin = try reader.integer()
            case "ProtocolMax": versions.swimMax = try reader.integer()
            case "ProtocolCur": versions.swimCurrent = try reader.integer()
            case "DelegateMin": versions.serfMin = try reader.integer()
            case "DelegateMax": versions.serfMax = try reader.integer()
            case "DelegateCur": versions.serfCurrent = try reader.integer()
            default: try reader.skip()
            }
        }
        guard let address else { throw .malformed("a member has no address") }
        endpoint.address = address
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(11)
        writer.writeKey("Addr")
        writer.write(endpoint.address)
        writer.writeKey("DelegateCur")
        writer.write(versions.serfCurrent)
        writer.writeKey("DelegateMax")
        writer.write(versions.serfMax)
        writer.writeKey("DelegateMin")
        writer.write(versions.serfMin)
        writer.writeKey("Name")
        writer.write(name)
        writer.writeKey("Port")
        writer.write(endpoint.port)
        writer.writeKey("ProtocolCur")
        writer.write(versions.swimCurrent)
        writer.writeKey("ProtocolMax")
        writer.write(versions.swimMax)
        writer.writeKey("ProtocolMin")
        writer.write(versions.swimMin)
        writer.writeKey("Status")
        writer.write(status)
        writer.writeKey("Tags")
        writer.write(tags)
    }
}
