// SPDX-License-Identifier: Apache-2.0

/// The first byte of what Serf sends.
enum SerfType {
    static let leave: UInt8 = 0
    static let join: UInt8 = 1
    static let state: UInt8 = 2
    static let userEvent: UInt8 = 3
    static let query: UInt8 = 4
    static let response: UInt8 = 5
    static let conflict: UInt8 = 6
    static let keyRequest: UInt8 = 7
    static let keyResponse: UInt8 = 8
    static let relay: UInt8 = 9
}

/// A message of Serf: one type byte, then a map.
///
/// It is what a user message of memberlist carries, or the user state of a push/pull, or the payload of
/// one of Serf's own queries and its answer.
public enum SerfMessage: Sendable, Hashable {
    case leave(LeaveIntent)
    case join(JoinIntent)
    /// In the user state of a ``PushPull`` only.
    case state(SerfState)
    case userEvent(UserEventMessage)
    case query(QueryMessage)
    case response(QueryResponse)
    /// As an answer's payload only; `nil` says that the name is not known.
    case conflict(ConflictMember?)
    /// As a query's payload only.
    case keyRequest(KeyRequest)
    /// As an answer's payload only.
    case keyResponse(KeyResponse)
    /// A whole message of Serf that is to go on to somebody.
    case relay(RelayHeader, message: [UInt8])

    /// The bytes, the type first.
    public func encoded() -> [UInt8] {
        var writer: MessagePackWriter
        switch self {
        case .leave(let leave):
            writer = MessagePackWriter(type: SerfType.leave, capacity: 64)
            leave.encode(into: &writer)
        case .join(let join):
            writer = MessagePackWriter(type: SerfType.join, capacity: 64)
            join.encode(into: &writer)
        case .state(let state):
            writer = MessagePackWriter(type: SerfType.state, capacity: 512)
            state.encode(into: &writer)
        case .userEvent(let event):
            writer = MessagePackWriter(type: SerfType.userEvent, capacity: 64 + event.payload.count)
            event.encode(into: &writer)
        case .query(let query):
            writer = MessagePackWriter(type: SerfType.query, capacity: 192 + query.payload.count)
            query.encode(into: &writer)
        case .response(let response):
            writer = MessagePackWriter(
                type: SerfType.response, capacity: 64 + response.payload.count)
            response.encode(into: &writer)
        case .conflict(let member):
            writer = MessagePackWriter(type: SerfType.conflict, capacity: 192)
            if let member { member.encode(into: &writer) } else { writer.writeNil() }
        case .keyRequest(let request):
            writer = MessagePackWriter(type: SerfType.keyRequest, capacity: 48)
            request.encode(into: &writer)
        case .keyResponse(let response):
            writer = MessagePackWriter(type: SerfType.keyResponse, capacity: 128)
            response.encode(into: &writer)
        case .relay(let header, let message):
            writer = MessagePackWriter(type: SerfType.relay, capacity: 96 + message.count)
            header.encode(into: &writer)
            writer.append(message)
        }
        return writer.bytes
    }

    /// The message that some bytes say.
    ///
    /// - Throws: ``WireError/unknownType(_:)`` for a kind that is not known, which is dropped and not
    ///   passed on; any other ``WireError`` for bytes that are not that kind.
    public static func decode(_ bytes: [UInt8]) throws(WireError) -> SerfMessage {
        try MessagePackReader.read(bytes) { reader throws(WireError) in
            try SerfMessage(from: &reader)
        }
    }

    private init(from reader: inout MessagePackReader) throws(WireError) {
        let type = try reader.byte()
        switch type {
        case SerfType.leave: self = .leave(try LeaveIntent(from: &reader))
        case SerfType.join: self = .join(try JoinIntent(from: &reader))
        case SerfType.state: self = .state(try SerfState(from: &reader))
        case SerfType.userEvent: self = .userEvent(try UserEventMessage(from: &reader))
        case SerfType.query: self = .query(try QueryMessage(from: &reader))
        case SerfType.response: self = .response(try QueryResponse(from: &reader))
        case SerfType.conflict:
            self = .conflict(try reader.isNil() ? nil : try ConflictMember(from: &reader))
        case SerfType.keyRequest: self = .keyRequest(try KeyRequest(from: &reader))
        case SerfType.keyResponse: self = .keyResponse(try KeyResponse(from: &reader))
        case SerfType.relay:
            let header = try RelayHeader(from: &reader)
            self = .relay(header, message: reader.rest())
        default: throw .unknownType(type)
        }
    }
}
