// SPDX-License-Identifier: Apache-2.0

/// The first byte of what memberlist sends.
enum SwimType {
    static let ping: UInt8 = 0
    static let indirectPing: UInt8 = 1
    static let ack: UInt8 = 2
    static let suspect: UInt8 = 3
    static let alive: UInt8 = 4
    static let dead: UInt8 = 5
    static let pushPull: UInt8 = 6
    static let compound: UInt8 = 7
    static let user: UInt8 = 8
    static let compress: UInt8 = 9
    static let encrypt: UInt8 = 10
    static let nack: UInt8 = 11
    static let hasCrc: UInt8 = 12
    static let error: UInt8 = 13
    static let label: UInt8 = 244
}

/// A message of memberlist: one type byte, then a map (but for a user message, whose bytes follow).
public enum SwimMessage: Sendable, Hashable {
    case ping(Ping)
    case indirectPing(IndirectPing)
    case ack(Ack)
    case nack(Nack)
    case suspect(Suspect)
    case alive(Alive)
    case dead(Dead)
    /// Bytes of the layer above: a ``SerfMessage``.
    case user([UInt8])
    /// Over streams only.
    case pushPull(PushPull)
    /// Over streams only: why the peer refuses.
    case error(String)

    /// The message in a packet's form, its type byte first, neither compressed nor encrypted.
    public func encoded() -> [UInt8] {
        var writer: MessagePackWriter
        switch self {
        case .ping(let ping):
            writer = MessagePackWriter(type: SwimType.ping)
            ping.encode(into: &writer)
        case .indirectPing(let ping):
            writer = MessagePackWriter(type: SwimType.indirectPing, capacity: 128)
            ping.encode(into: &writer)
        case .ack(let ack):
            writer = MessagePackWriter(type: SwimType.ack, capacity: 32 + ack.payload.count)
            ack.encode(into: &writer)
        case .nack(let nack):
            writer = MessagePackWriter(type: SwimType.nack, capacity: 16)
            nack.encode(into: &writer)
        case .suspect(let suspect):
            writer = MessagePackWriter(type: SwimType.suspect)
            suspect.encode(into: &writer)
        case .alive(let alive):
            writer = MessagePackWriter(type: SwimType.alive, capacity: 128 + alive.meta.count)
            alive.encode(into: &writer)
        case .dead(let dead):
            writer = MessagePackWriter(type: SwimType.dead)
            dead.encode(into: &writer)
        case .user(let content):
            writer = MessagePackWriter(type: SwimType.user, capacity: 1 + content.count)
            writer.append(content)
        case .pushPull(let state):
            writer = MessagePackWriter(
                type: SwimType.pushPull,
                capacity: 64 + 160 * state.nodes.count + state.userState.count)
            state.encode(into: &writer)
        case .error(let text):
            writer = MessagePackWriter(type: SwimType.error)
            writer.writeMapHead(1)
            writer.writeKey("Error")
            writer.write(text)
        }
        return writer.bytes
    }

    /// Reads a message of one of the kinds that packets carry, behind its type byte.
    init(packetType type: UInt8, from reader: inout MessagePackReader) throws(WireError) {
        switch type {
        case SwimType.ping: self = .ping(try Ping(from: &reader))
        case SwimType.indirectPing: self = .indirectPing(try IndirectPing(from: &reader))
        case SwimType.ack: self = .ack(try Ack(from: &reader))
        case SwimType.nack: self = .nack(try Nack(from: &reader))
        case SwimType.suspect: self = .suspect(try Suspect(from: &reader))
        case SwimType.alive: self = .alive(try Alive(from: &reader))
        case SwimType.dead: self = .dead(try Dead(from: &reader))
        case SwimType.user: self = .user(reader.rest())
        default: throw .unknownType(type)
        }
    }
}
