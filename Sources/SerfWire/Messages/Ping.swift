// SPDX-License-Identifier: Apache-2.0

/// Who asks, and where the answer is to go.
public struct Source: Sendable, Hashable {
    /// Where answers go, rather than to where the packet came from.
    ///
    /// Port 0 means the default port.
    public var endpoint: Endpoint
    /// The name of who asks; empty if it was not said.
    public var node: String

    public init(endpoint: Endpoint, node: String) {
        self.endpoint = endpoint
        self.node = node
    }
}

/// The three fields of a ``Source``, which may each be absent.
struct SourceFields {
    var address: IPAddress?
    var port: UInt16 = 0
    var node = ""

    /// The source, if it says an address.
    var source: Source? {
        address.map { Source(endpoint: Endpoint(address: $0, port: port), node: node) }
    }
}

extension Source {
    /// How many fields of this source are written: those that are not empty.
    var fieldCount: Int { 1 + (node.isEmpty ? 0 : 1) + (endpoint.port == 0 ? 0 : 1) }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeKey("SourceAddr")
        writer.write(endpoint.address)
        if !node.isEmpty {
            writer.writeKey("SourceNode")
            writer.write(node)
        }
        if endpoint.port != 0 {
            writer.writeKey("SourcePort")
            writer.write(endpoint.port)
        }
    }
}

/// "Are you there?": answered by an ``Ack`` with the same sequence number.
public struct Ping: Sendable, Hashable {
    public var sequence: UInt32
    /// The name of who is meant; somebody else at that address does not answer.
    ///
    /// Empty: whoever is there.
    public var node: String
    /// Where the answer goes; `nil`, as from a peer that says no address, is where the packet came from.
    public var source: Source?

    public init(sequence: UInt32, node: String, source: Source?) {
        self.sequence = sequence
        self.node = node
        self.source = source
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(sequence: 0, node: "", source: nil)
        var fields = SourceFields()
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "SeqNo": sequence = try reader.integer()
            case "Node": node = try reader.text()
            case "SourceAddr": fields.address = try reader.addressIfAny()
            case "SourcePort": fields.port = try reader.integer()
            case "SourceNode": fields.node = try reader.text()
            default: try reader.skip()
            }
        }
        source = fields.source
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(2 + (source?.fieldCount ?? 0))
        writer.writeKey("Node")
        writer.write(node)
        writer.writeKey("SeqNo")
        writer.write(sequence)
        source?.encode(into: &writer)
    }
}

/// "Ask that node for me": answered by an ``Ack`` with the same sequence number if it answered, by a
/// ``Nack`` if not and one is wanted.
public struct IndirectPing: Sendable, Hashable {
    public var sequence: UInt32
    /// Where the node that is to be asked is reached.
    public var target: Endpoint
    /// Its name.
    public var node: String
    /// Whether who asks wants to know that no answer came (Lifeguard, Dadgar, Phillips, Currey 2018).
    public var wantsNack: Bool
    public var source: Source?

    public init(
        sequence: UInt32, target: Endpoint, node: String, wantsNack: Bool, source: Source?
    ) {
        self.sequence = sequence
        self.target = target
        self.node = node
        self.wantsNack = wantsNack
        self.source = source
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        var (sequence, node, wantsNack, port) = (UInt32(0), "", false, UInt16(0))
        var address: IPAddress?
        var fields = SourceFields()
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "SeqNo": sequence = try reader.integer()
            case "Target": address = try reader.address()
            case "Port": port = try reader.integer()
            case "Node": node = try reader.text()
            case "Nack": wantsNack = try reader.bool()
            case "SourceAddr": fields.address = try reader.addressIfAny()
            case "SourcePort": fields.port = try reader.integer()
            case "SourceNode": fields.node = try reader.text()
            default: try reader.skip()
            }
        }
        guard let address else { throw .malformed("an indirect ping has no target") }
        self.init(
            sequence: sequence, target: Endpoint(address: address, port: port), node: node,
            wantsNack: wantsNack, source: fields.source)
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(5 + (source?.fieldCount ?? 0))
        writer.writeKey("Nack")
        writer.write(wantsNack)
        writer.writeKey("Node")
        writer.write(node)
        writer.writeKey("Port")
        writer.write(target.port)
        writer.writeKey("SeqNo")
        writer.write(sequence)
        source?.encode(into: &writer)
        writer.writeKey("Target")
        writer.write(target.address)
    }
}

/// "I am there", or "the node you asked me about is".
public struct Ack: Sendable, Hashable {
    public var sequence: UInt32
    /// What the layer above adds: a ``CoordinatePayload``.
    ///
    /// Empty and absent are the same.
    public var payload: [UInt8]

    public init(sequence: UInt32, payload: [UInt8]) {
        self.sequence = sequence
        self.payload = payload
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(sequence: 0, payload: [])
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "SeqNo": sequence = try reader.integer()
            case "Payload": payload = try reader.data()
            default: try reader.skip()
            }
        }
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(2)
        writer.writeKey("Payload")
        writer.writeOrNil(payload)
        writer.writeKey("SeqNo")
        writer.write(sequence)
    }
}

/// "The node that you asked me about has not answered me": the asker's own link is sound.
public struct Nack: Sendable, Hashable {
    public var sequence: UInt32

    public init(sequence: UInt32) {
        self.sequence = sequence
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(sequence: 0)
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "SeqNo": sequence = try reader.integer()
            default: try reader.skip()
            }
        }
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(1)
        writer.writeKey("SeqNo")
        writer.write(sequence)
    }
}
