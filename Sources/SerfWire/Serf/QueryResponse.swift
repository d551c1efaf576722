// SPDX-License-Identifier: Apache-2.0

/// An answer to a query, or the acknowledgement that it came.
public struct QueryResponse: Sendable, Hashable {
    /// The time of the query.
    public var time: LamportTime
    /// The number of the query.
    public var id: UInt32
    /// The name of who answers.
    public var from: String
    public var flags: QueryFlags
    public var payload: [UInt8]

    /// Whether this only says that the query came.
    public var isAcknowledgement: Bool { flags.contains(.acknowledge) }

    public init(
        time: LamportTime, id: UInt32, from: String, flags: QueryFlags, payload: [UInt8]
    ) {
        self.time = time
        self.id = id
        self.from = from
        self.flags = flags
        self.payload = payload
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(time: LamportTime(0), id: 0, from: "", flags: [], payload: [])
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "LTime": time = try LamportTime(from: &reader)
            case "ID": id = try reader.integer()
            case "From": from = try reader.text()
            case "Flags": flags = QueryFlags(rawValue: try reader.integer())
            case "Payload": payload = try reader.data()
            default: try reader.skip()
            }
        }
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(5)
        writer.writeKey("Flags")
        writer.write(flags.rawValue)
        writer.writeKey("From")
        writer.write(from)
        writer.writeKey("ID")
        writer.write(id)
        writer.writeKey("LTime")
        writer.write(time)
        writer.writeKey("Payload")
        writer.writeOrNil(payload)
    }
}
