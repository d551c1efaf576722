// SPDX-License-Identifier: Apache-2.0

/// What is asked of those who take a query or an answer.
public struct QueryFlags: OptionSet, Sendable, Hashable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// In a query: say that it came.
    ///
    /// In a response: this says so, and is no answer.
    public static let acknowledge = QueryFlags(rawValue: 1)
    /// In a query: do not pass it on.
    public static let noBroadcast = QueryFlags(rawValue: 2)
}

/// A question to some or all members, passed on by gossip; they answer to its origin.
public struct QueryMessage: Sendable, Hashable {
    public var time: LamportTime
    /// Tells queries of one time apart.
    public var id: UInt32
    /// Where acknowledgements and answers go.
    public var origin: Endpoint
    public var originNode: String
    /// All of them must let a member in; none lets in everybody.
    public var filters: [QueryFilter]
    public var flags: QueryFlags
    /// Through how many other members each answer goes as well.
    public var relayFactor: UInt8
    /// How long answers count from when the query came, in nanoseconds.
    public var timeout: Int64
    public var name: String
    public var payload: [UInt8]

    public init(
        time: LamportTime, id: UInt32, origin: Endpoint, originNode: String,
        filters: [QueryFilter], flags: QueryFlags, relayFactor: UInt8, timeout: Int64, name: String,
        payload: [UInt8]
    ) {
        self.time = time
        self.id = id
        self.origin = origin
        self.originNode = originNode
        self.filters = filters
        self.flags = flags
        self.relayFactor = relayFactor
        self.timeout = timeout
        self.name = name
        self.payload = payload
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        let unknown = Endpoint(address: .v4(0), port: 0)
        self.init(
            time: LamportTime(0), id: 0, origin: unknown, originNode: "", filters: [], flags: [],
            relayFactor: 0, timeout: 0, name: "", payload: [])
        var address: IPAddress?
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "LTime": time = try LamportTime(from: &reader)
            case "ID": id = try reader.integer()
            case "Addr": address = try reader.address()
            case "Port": origin.port = try reader.integer()
            case "SourceNode": originNode = try reader.text()
            case "Filters": filters = try Self.filters(from: &reader)
            case "Flags": flags = QueryFlags(rawValue: try reader.integer())
            case "RelayFactor": relayFactor = try reader.integer()
            case "Timeout": timeout = try reader.integer()
            case "Name": name = try reader.text()
            case "Payload": payload = try reader.data()
            default: try reader.skip()
            }
        }
        guard let address else { throw .malformed("a query has no address") }
        origin.address = address
    }

    private static func filters(
        from reader: inout MessagePackReader
    ) throws(WireError) -> [QueryFilter] {
        var filters: [QueryFilter] = []
        for _ in 0..<(try reader.arrayCount()) {
            filters.append(QueryFilter(try reader.data()))
        }
        return filters
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(11)
        writer.writeKey("Addr")
        writer.write(origin.address)
        writer.writeKey("Filters")
        if filters.isEmpty {
            writer.writeNil()
        } else {
            writer.writeArrayHead(filters.count)
            for filter in filters { writer.write(filter.encoded()) }
        }
        writer.writeKey("Flags")
        writer.write(flags.rawValue)
        writer.writeKey("ID")
        writer.write(id)
        writer.writeKey("LTime")
        writer.write(time)
        writer.writeKey("Name")
        writer.write(name)
        writer.writeKey("Payload")
        writer.writeOrNil(payload)
        writer.writeKey("Port")
        writer.write(origin.port)
        writer.writeKey("RelayFactor")
        writer.write(relayFactor)
        writer.writeKey("SourceNode")
        writer.write(originNode)
        writer.writeKey("Timeout")
        writer.write(timeout)
    }
}
