// SPDX-License-Identifier: Apache-2.0

public import CommitLog

/// The bytes of what one node tells another, in varints but for the first field:
///
/// ```
/// 4 magic "CWNM" │ 1 version = 1 │ cluster │ from │ incarnation │ to │ number of messages │ …
///
/// for each message: its length, and its bytes as ``PeerMessage`` has them
/// ```
///
/// The connection says how long the whole is, and bounds it.
extension NodeMessage {
    private static let magicValue: UInt32 = 0x4357_4e4d
    private static let versionValue: UInt8 = 1
    /// The most messages that are taken at once.
    static let messagesMax = 100_000
    /// The least bytes that a message takes, with its length.
    private static let messageSizeMin = 5

    /// The message as bytes.
    public var encoded: [UInt8] {
        var writer = MessageWriter()
        writer.add(checksum: Self.magicValue)
        writer.add(byte: Self.versionValue)
        writer.add(cluster)
        writer.add(from)
        writer.add(incarnation)
        writer.add(to)
        writer.add(count: messages.count)
        var previous: PeerMessage?
        for message in messages {
            writer.add(block: message.encoded(after: previous))
            previous = message
        }
        return writer.bytes
    }

    /// The message that some bytes are; payloads share their memory.
    ///
    /// - Throws: That they are none; for any bytes that are none.
    public init(decoding bytes: EntryBytes) throws(PeerMessageError) {
        var reader = MessageReader(bytes)
        guard try reader.checksum() == Self.magicValue else { throw .malformed("the magic") }
        let version = try reader.byte("the version")
        guard version == Self.versionValue else { throw .unsupported(version: Int(version)) }
        let cluster = try reader.number("the cluster")
        let from = try reader.number("the sender")
        let incarnation = try reader.number("the incarnation")
        let to = try reader.number("the receiver")
        let count = try reader.count(
            "the number of messages", max: Self.messagesMax, size: Self.messageSizeMin)
        var messages: [PeerMessage] = []
        messages.reserveCapacity(count)
        for _ in 0..<count {
            var part = try reader.part("a message's length")
            messages.append(try PeerMessage(reading: &part, after: messages.last))
        }
        try reader.finish()
        self.init(
            from: from, incarnation: incarnation, to: to, cluster: cluster, messages: messages)
    }
}
