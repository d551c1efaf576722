// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Finds where the one message of a stream ends, while its bytes come in pieces.
///
/// Nothing on a stream says how long a message is, other than its own maps, and the peer may keep its
/// side open.
///
/// It reads heads of MessagePack values and builds nothing. However small the pieces are, each byte is
/// looked at once, but for the head that the last piece has cut.
public struct StreamScanner: Sendable {
    public enum Progress: Sendable, Hashable {
        /// The message goes on behind the bytes that are there.
        case needsMore
        /// The message is whole: the stream's first `length` bytes, its label included.
        case complete(length: Int)
    }

    /// The most bytes of a stream, its headers included: 20 MiB and 64 KiB.
    public static let bytesMaxDefault = (20 << 20) + (64 << 10)
    /// The longest map in front of records or of bytes.
    ///
    /// Known ones have less than 64.
    static let headerMax = 1024

    private enum Stage {
        case label
        case type
        case encryptedLength
        /// Values that say what follows them.
        case header
        case values
        case tail
    }

    private let bytesMax: Int
    private let label: [UInt8]
    private var stage = Stage.label
    private var type: UInt8 = 0
    /// Where the next head is.
    private var position = 0
    /// Where the header began.
    private var headerStart = 0
    /// How many values are still to come.
    private var pending = 0
    /// How many bytes are still to come behind them.
    private var tail = 0

    /// - Parameters:
    ///   - label: What the stream must begin with: the cluster's label on an accepted stream, nothing on
    ///     one that we dialled.
    ///   - bytesMax: The most bytes of the stream, headers included.
    public init(label: [UInt8] = [], bytesMax: Int = bytesMaxDefault) {
        self.label = Label.header(label)
        self.bytesMax = bytesMax
    }

    /// Looks at what has come so far.
    ///
    /// - Parameter bytes: The stream from its beginning: each time the bytes of before, and more.
    /// - Throws: ``WireError`` as soon as it is certain that no message will come of it. The scanner is of
    ///   no use then.
    public mutating func scan(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> Progress {
        while true {
            let isDone: Bool
            switch stage {
            case .label: isDone = unsafe try scanLabel(bytes)
            case .type: isDone = unsafe try scanType(bytes)
            case .encryptedLength: isDone = unsafe try scanEncryptedLength(bytes)
            case .header: isDone = unsafe try scanHeader(bytes)
            case .values:
                isDone = unsafe try scanValues(bytes, end: bytesMax)
                if isDone { stage = .tail }
            case .tail:
                guard tail <= bytesMax - position else { throw .tooLong(limit: bytesMax) }
                let end = position + tail
                return bytes.count >= end ? .complete(length: end) : .needsMore
            }
            guard isDone else {
                guard bytes.count < bytesMax else { throw .tooLong(limit: bytesMax) }
                return .needsMore
            }
        }
    }

    /// The same, of an array.
    public mutating func scan(_ bytes: [UInt8]) throws(WireError) -> Progress {
        try unsafe bytes.span.bytes.withUnsafeBytes { content throws(WireError) in
            unsafe try scan(content)
        }
    }

    private mutating func scanLabel(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> Bool {
        guard !label.isEmpty else {
            guard let first = unsafe bytes.first else { return false }
            guard first != SwimType.label else { throw .wrongLabel }
            stage = .type
            return true
        }
        for place in 0..<min(label.count, bytes.count) {
            guard unsafe bytes[place] == label[place] else { throw .wrongLabel }
        }
        guard bytes.count >= label.count else { return false }
        position = label.count
        stage = .type
        return true
    }

    private mutating func scanType(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> Bool {
        guard bytes.count > position else { return false }
        type = unsafe bytes[position]
        position += 1
        headerStart = position
        pending = 1
        switch type {
        case SwimType.ping, SwimType.ack, SwimType.compress, SwimType.error: stage = .values
        case SwimType.pushPull, SwimType.user: stage = .header
        case SwimType.encrypt: stage = .encryptedLength
        default: throw .unknownType(type)
        }
        return true
    }

    private mutating func scanEncryptedLength(
        _ bytes: UnsafeRawBufferPointer
    ) throws(WireError) -> Bool {
        guard bytes.count >= position + 4 else { return false }
        let length = unsafe Int(bytes.bigEndian(at: position, as: UInt32.self))
        guard length <= EncryptedFrame.streamFrameMax else {
            throw .tooLong(limit: EncryptedFrame.streamFrameMax)
        }
        guard length >= EncryptedFrame.size(ofMessage: 0) else {
            throw .malformed("an encrypted stream is shorter than its nonce and tag")
        }
        position += 4
        tail = length
        stage = .tail
        return true
    }

    /// Steps over the map in front, and learns from it what follows.
    private mutating func scanHeader(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> Bool {
        guard unsafe try scanValues(bytes, end: headerStart + Self.headerMax) else { return false }
        let header = unsafe UnsafeRawBufferPointer(rebasing: bytes[headerStart..<position])
        var reader = unsafe MessagePackReader(header)
        if type == SwimType.pushPull {
            let header = try PushPullHeader(from: &reader)
            pending = header.nodes
            tail = header.userStateLength
        } else {
            tail = try UserMessageHeader(from: &reader).length
        }
        guard pending + tail <= bytesMax - position else { throw .tooLong(limit: bytesMax) }
        stage = .values
        return true
    }

    /// Steps over values as far as they are there; `true` if no more are to come.
    ///
    /// - Parameter end: Where they must have ended.
    private mutating func scanValues(
        _ bytes: UnsafeRawBufferPointer, end: Int
    ) throws(WireError) -> Bool {
        var reader = unsafe MessagePackReader(bytes)
        while pending > 0 {
            reader.position = position
            let token: MessagePackToken
            do throws(WireError) {
                token = try MessagePackToken(at: &reader)
            } catch .truncated {
                return false
            }
            let next = reader.position + token.length
            let pendingNext = pending + token.children - 1
            // Each value to come has a byte at least.
            guard next + pendingNext <= end else { throw .tooLong(limit: end) }
            guard next <= bytes.count else { return false }
            position = next
            pending = pendingNext
        }
        return true
    }
}
