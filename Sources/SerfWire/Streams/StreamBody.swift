// SPDX-License-Identifier: Apache-2.0

/// The one message that each side of a stream sends, and what is around it.
///
///     message → 09 {Algo, Buf}  compressed, if asked, also where that is longer
///             → 0a length …     encrypted, the shell's part: `EncryptedFrame`
///             → f4 length label in front of who has dialled only, the shell's part: `Label`
///
/// A user message has its length in front here, other than in a packet:
///
///     08  {UserMsgLen}  bytes
public enum StreamBody {
    /// The most bytes that come out of a compressed message: 40 MiB, as in Serf 0.10.
    public static let decompressedMax = 40 << 20

    /// The message of a body, decrypted and without its label.
    ///
    /// - Throws: ``WireError``: of a kind that streams do not carry, longer than its limits, or damaged.
    public static func decode(_ bytes: [UInt8]) throws(WireError) -> SwimMessage {
        guard bytes.first == SwimType.compress else {
            return try MessagePackReader.read(bytes, message(from:))
        }
        let inner = try MessagePackReader.read(bytes) { reader throws(WireError) in
            _ = try reader.byte()
            return try Compressed.open(&reader, limit: decompressedMax)
        }
        return try MessagePackReader.read(inner, message(from:))
    }

    private static func message(
        from reader: inout MessagePackReader
    ) throws(WireError) -> SwimMessage {
        let type = try reader.byte()
        switch type {
        case SwimType.ping: return .ping(try Ping(from: &reader))
        case SwimType.ack: return .ack(try Ack(from: &reader))
        case SwimType.pushPull: return .pushPull(try PushPull(from: &reader))
        case SwimType.user:
            let count = try UserMessageHeader(from: &reader).length
            return .user(try reader.copy(count))
        case SwimType.error: return .error(try errorText(from: &reader))
        default: throw .unknownType(type)
        }
    }

    private static func errorText(from reader: inout MessagePackReader) throws(WireError) -> String
    {
        var text = ""
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "Error": text = try reader.text()
            default: try reader.skip()
            }
        }
        return text
    }

    /// The body of a message: a ping, an ack, a push/pull, a user message or an error.
    public static func encode(_ message: SwimMessage, compress: Bool) -> [UInt8] {
        let body: [UInt8]
        switch message {
        case .ping, .ack, .pushPull, .error:
            body = message.encoded()
        case .user(let content):
            var writer = MessagePackWriter(type: SwimType.user, capacity: 24 + content.count)
            writer.writeMapHead(1)
            writer.writeKey("UserMsgLen")
            writer.write(UInt64(content.count))
            writer.append(content)
            body = writer.bytes
        case .indirectPing, .nack, .suspect, .alive, .dead:
            preconditionFailure("\(message) is for packets only")
        }
        return compress ? Compressed.wrap(body) : body
    }
}

/// What stands before the bytes of a user message in a stream.
struct UserMessageHeader {
    var length = 0

    init(from reader: inout MessagePackReader) throws(WireError) {
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "UserMsgLen": length = try reader.integer()
            default: try reader.skip()
            }
        }
        guard length >= 0 else { throw .malformed("a length is negative") }
        guard length <= PushPull.userStateMax else { throw .tooLong(limit: PushPull.userStateMax) }
    }
}
