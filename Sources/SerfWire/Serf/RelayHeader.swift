// SPDX-License-Identifier: Apache-2.0

/// Where a relayed message is to go on to.
///
///     09  {DestAddr: {IP, Port, Zone}, DestName}  a message of Serf, its type byte first
public struct RelayHeader: Sendable, Hashable {
    /// Whom to send the message to.
    ///
    /// The address of an IPv4 node may come in its mapped form.
    public var destination: Endpoint
    /// The name of who gets it.
    public var name: String

    public init(destination: Endpoint, name: String) {
        self.destination = destination
        self.name = name
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        var (destination, name) = (Endpoint?.none, "")
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "DestAddr": destination = try Self.destination(from: &reader)
            case "DestName": name = try reader.text()
            default: try reader.skip()
            }
        }
        guard let destination else { throw .malformed("a relayed message has no destination") }
        self.init(destination: destination, name: name)
    }

    private static func destination(
        from reader: inout MessagePackReader
    ) throws(WireError) -> Endpoint {
        var (address, port) = (IPAddress?.none, UInt16(0))
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "IP": address = try reader.address()
            case "Port": port = try reader.integer()
            default: try reader.skip()
            }
        }
        guard let address else { throw .malformed("a relayed message has no address") }
        return Endpoint(address: address, port: port)
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(2)
        writer.writeKey("DestAddr")
        writer.writeMapHead(3)
        writer.writeKey("IP")
        writer.write(destination.address)
        writer.writeKey("Port")
        writer.write(destination.port)
        writer.writeKey("Zone")
        writer.write("")
        writer.writeKey("DestName")
        writer.write(name)
    }
}
