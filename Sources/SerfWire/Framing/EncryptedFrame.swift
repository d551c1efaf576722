// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The layout of what is encrypted with AES-GCM; the cryptography itself is the shell's.
///
///     packet      version u8   nonce{12}   ciphertext   tag{16}
///     stream      0a   length u32 big endian of what follows   version nonce ciphertext tag
///
/// What is authenticated besides: the label's bytes in a packet; in a stream its first five bytes, then
/// the label's, in both directions.
///
/// Version 1 encrypts the message as it is. Version 0 pads it to 16 bytes first (PKCS #7, at least one
/// byte); only nodes of memberlist's protocol 1 send it.
public struct EncryptedFrame: Sendable, Hashable {
    /// 0 or 1.
    public var version: UInt8
    /// Twelve bytes that are never used twice with one key.
    public var nonce: ArraySlice<UInt8>
    public var ciphertext: ArraySlice<UInt8>
    /// Sixteen bytes that prove the rest.
    public var tag: ArraySlice<UInt8>

    public static let nonceSize = 12
    public static let tagSize = 16
    /// The version that is sent.
    public static let currentVersion: UInt8 = 1
    /// The type byte and the length in front of a stream's frame.
    public static let streamHeaderSize = 5
    /// The longest frame of a stream: 20 MiB.
    public static let streamFrameMax = 20 << 20

    /// What encryption adds at most: 29 bytes, and up to 16 more for version 0.
    public static func overhead(version: UInt8) -> Int {
        let bare = 1 + nonceSize + tagSize
        return version == 0 ? bare + 16 : bare
    }

    /// A frame of its parts.
    public init(version: UInt8, nonce: [UInt8], ciphertext: [UInt8], tag: [UInt8]) {
        precondition(nonce.count == Self.nonceSize, "a nonce has \(Self.nonceSize) bytes")
        precondition(tag.count == Self.tagSize, "a tag has \(Self.tagSize) bytes")
        self.version = version
        self.nonce = nonce[...]
        self.ciphertext = ciphertext[...]
        self.tag = tag[...]
    }

    /// The frame that a packet is.
    public init(packet: [UInt8]) throws(WireError) {
        try self.init(frame: packet[...])
    }

    /// The frame that a stream's body is: exactly it, from `0a` to the tag.
    public init(stream: [UInt8]) throws(WireError) {
        guard let first = stream.first else { throw .truncated }
        guard first == SwimType.encrypt else { throw .unknownType(first) }
        guard stream.count >= Self.streamHeaderSize else { throw .truncated }
        let length = stream[1..<Self.streamHeaderSize].reduce(0) { $0 << 8 | Int($1) }
        guard length <= Self.streamFrameMax else { throw .tooLong(limit: Self.streamFrameMax) }
        let frame = stream[Self.streamHeaderSize...]
        guard frame.count >= length else { throw .truncated }
        guard frame.count == length else {
            throw .malformed("an encrypted stream goes on behind its frame")
        }
        try self.init(frame: frame)
    }

    private init(frame: ArraySlice<UInt8>) throws(WireError) {
        guard let version = frame.first else { throw .truncated }
        guard version <= 1 else { throw .unsupported("encryption version \(version)") }
        guard frame.count >= 1 + Self.nonceSize + Self.tagSize else { throw .truncated }
        let nonceEnd = frame.startIndex + 1 + Self.nonceSize
        let tagStart = frame.endIndex - Self.tagSize
        self.version = version
        nonce = frame[(frame.startIndex + 1)..<nonceEnd]
        ciphertext = frame[nonceEnd..<tagStart]
        tag = frame[tagStart...]
    }

    /// Whether a stream's body is encrypted.
    public static func isStream(_ body: [UInt8]) -> Bool {
        body.first == SwimType.encrypt
    }

    /// How many bytes the frame has, without a stream's header.
    public var size: Int { 1 + nonce.count + ciphertext.count + tag.count }

    /// The frame as a packet.
    public func packet() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        append(to: &bytes)
        return bytes
    }

    /// The frame as a stream's body.
    public func stream() -> [UInt8] {
        var bytes = Self.streamHeader(frameSize: size)
        bytes.reserveCapacity(bytes.count + size)
        append(to: &bytes)
        return bytes
    }

    private func append(to bytes: inout [UInt8]) {
        bytes.append(version)
        bytes.append(contentsOf: nonce)
        bytes.append(contentsOf: ciphertext)
        bytes.append(contentsOf: tag)
    }

    // MARK: Additional data

    /// What is authenticated with a packet.
    public static func packetAdditionalData(label: [UInt8]) -> [UInt8] {
        label
    }

    /// What is authenticated with the body of a stream.
    ///
    /// - Parameters:
    ///   - size: The bytes of the frame, from its version to its tag.
    ///   - label: The cluster's label, empty for none.
    public static func streamAdditionalData(frameSize size: Int, label: [UInt8]) -> [UInt8] {
        streamHeader(frameSize: size) + label
    }

    /// The size of a frame around a message.
    public static func size(ofMessage count: Int, version: UInt8 = currentVersion) -> Int {
        let content = version == 0 ? count + 16 - count % 16 : count
        return 1 + nonceSize + content + tagSize
    }

    private static func streamHeader(frameSize: Int) -> [UInt8] {
        precondition(
            frameSize <= streamFrameMax, "a frame of \(frameSize) bytes is too long for a stream")
        var header = [SwimType.encrypt]
        header.appendBigEndian(UInt32(frameSize))
        return header
    }

    // MARK: Padding of version 0

    /// The message of what was decrypted: as it is in version 1, without its padding in version 0.
    public func message(ofPlaintext plaintext: [UInt8]) throws(WireError) -> [UInt8] {
        guard version == 0 else { return plaintext }
        guard let last = plaintext.last, plaintext.count % 16 == 0, 1...16 ~= last else {
            throw .malformed("a message of encryption version 0 is not padded")
        }
        let padding = plaintext.suffix(Int(last))
        guard padding.allSatisfy({ $0 == last }) else {
            throw .malformed("a message of encryption version 0 is not padded")
        }
        return [UInt8](plaintext.dropLast(Int(last)))
    }

    /// What is to be encrypted of a message: it itself in version 1, padded in version 0.
    public static func plaintext(ofMessage message: [UInt8], version: UInt8) -> [UInt8] {
        guard version == 0 else { return message }
        let count = 16 - message.count % 16
        return message + [UInt8](repeating: UInt8(count), count: count)
    }
}
