// SPDX-License-Identifier: Apache-2.0

/// A key that packets are encrypted with: 16, 24 or 32 bytes, for AES-128, -192 or -256 in GCM.
///
/// Its descriptions say its size and nothing else.
public struct GossipKey: Sendable, Hashable {
    /// The key itself.
    public let bytes: [UInt8]

    /// A key of these bytes.
    public init(bytes: [UInt8]) throws(MembershipError) {
        guard [16, 24, 32].contains(bytes.count) else {
            throw MembershipError(
                .invalidKey, "a key has 16, 24 or 32 bytes; this one has \(bytes.count)")
        }
        self.bytes = bytes
    }

    /// The key of a base64 text, as `serf keygen` prints it.
    public init(base64: String) throws(MembershipError) {
        guard let bytes = Base64.decode(base64) else {
            throw MembershipError(
                .invalidKey,
                "a key of \(base64.utf8.count) characters is no base64; make one with 'openssl rand"
                    + " -base64 32'")
        }
        try self.init(bytes: bytes)
    }

    /// A new key of 32 bytes from the system's generator.
    public static func random() -> GossipKey {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        // 32 is one of the sizes.
        return GossipKey(checked: bytes)
    }

    /// Bytes whose number was checked by the keyring that they come from.
    init(checked bytes: [UInt8]) { self.bytes = bytes }

    /// The text that ``init(base64:)`` reads.
    ///
    /// Whoever has it can read and forge all packets.
    public var base64: String { Base64.encode(bytes) }
}

extension GossipKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The size.
    public var description: String { "a key of \(bytes.count) bytes" }
    /// The size.
    public var debugDescription: String { description }
    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
