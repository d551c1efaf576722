// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import SerfWire

/// What has come of a stream, until it is a whole body.
///
/// A dialled stream begins with the label's header, the answer to it does not.
struct StreamBuffer {
    private var bytes: [UInt8] = []
    private var scanner = StreamScanner()
    private let header: [UInt8]
    private var isLabelled: Bool

    /// - Parameter labelHeader: What must come first; empty for nothing.
    init(labelHeader: [UInt8]) {
        header = labelHeader
        isLabelled = labelHeader.isEmpty
    }

    /// How many bytes came, the label's header among them.
    private(set) var bytesHeld = 0

    mutating func append(_ buffer: ByteBuffer) {
        bytes.append(contentsOf: buffer.readableBytesView)
        bytesHeld += buffer.readableBytes
    }

    mutating func removeAll() {
        bytes = []
        bytesHeld = 0
    }

    /// The first byte behind the label's header, which says what kind of body it is; `nil` before
    /// it is there.
    mutating func kind() throws(PacketSeal.Refusal) -> UInt8? {
        if !isLabelled {
            let count = min(bytes.count, header.count)
            guard bytes.prefix(count).elementsEqual(header.prefix(count)) else { throw .wrongLabel }
            guard count == header.count else { return nil }
            bytes.removeFirst(count)
            isLabelled = true
        }
        return bytes.first
    }

    /// The whole body, without what follows it; `nil` while more is to come.
    mutating func body() throws(WireError) -> [UInt8]? {
        switch try scanner.scan(bytes) {
        case .needsMore: nil
        case .complete(let length): length == bytes.count ? bytes : Array(bytes[..<length])
        }
    }
}
