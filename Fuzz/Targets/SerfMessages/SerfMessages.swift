// SPDX-License-Identifier: Apache-2.0

import SerfWire

/// Reads bytes as what the first byte says, and what can be read once more after it was written.
///
/// It is a packet, a stream's body, a message of Serf, tags, LZW, a coordinate, or a stream that comes
/// in two pieces.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSerfMessages(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count >= 1 else { return 0 }
    let bytes = [UInt8](UnsafeRawBufferPointer(start: start + 1, count: count - 1))
    do throws(WireError) {
        switch start[0] % 7 {
        case 0: try readPacket(bytes)
        case 1: try readBody(bytes)
        case 2: try readSerf(bytes)
        case 3: try readTags(bytes)
        case 4: try unpack(bytes)
        case 5: try readCoordinate(bytes)
        default: try scan(bytes)
        }
    } catch {
        // Refused: the usual end of such bytes.
        precondition(!"\(error)".isEmpty)
    }
    packAgain(bytes)
    return 0
}

private func readPacket(_ bytes: [UInt8]) throws(WireError) {
    var unreadable = 0
    let messages = try Packet.decode(bytes, unreadable: &unreadable)
    precondition(messages.count + unreadable <= 255 || messages.count == 1)
    for message in messages {
        let again = mustRead { () throws(WireError) in
            try Packet.decode(message.encoded(), unreadable: &unreadable)
        }
        precondition(again == [message], "\(message) is not what was written")
        guard case .user(let content) = message else { continue }
        try readSerf(content)
    }
}

private func readBody(_ bytes: [UInt8]) throws(WireError) {
    let message = try StreamBody.decode(bytes)
    guard case .pushPull(var exchange) = message else {
        let again = mustRead { () throws(WireError) in
            try StreamBody.decode(StreamBody.encode(message, compress: true))
        }
        precondition(again == message, "\(message) is not what was written")
        return
    }
    exchange.unreadable = 0
    let body = StreamBody.encode(.pushPull(exchange), compress: false)
    let again = mustRead { () throws(WireError) in try StreamBody.decode(body) }
    precondition(again == .pushPull(exchange), "\(exchange) is not what was written")
    var scanner = StreamScanner()
    let progress = mustRead { () throws(WireError) in try scanner.scan(body) }
    precondition(progress == .complete(length: body.count), "\(progress)")
    if !exchange.userState.isEmpty { try readSerf(exchange.userState) }
}

private func readSerf(_ bytes: [UInt8]) throws(WireError) {
    var message = try SerfMessage.decode(bytes)
    if case .state(var state) = message {
        state.unreadable = 0
        message = .state(state)
    }
    let again = mustRead { () throws(WireError) in try SerfMessage.decode(message.encoded()) }
    precondition(again == message, "\(message) is not what was written")
}

private func readTags(_ bytes: [UInt8]) throws(WireError) {
    let tags = try Tags.decode(bytes)
    let again = mustRead { () throws(WireError) in try Tags.decode(Tags.encode(tags)) }
    precondition(again == tags, "\(tags) are not what was written")
}

private func unpack(_ bytes: [UInt8]) throws(WireError) {
    let limit = 1 << 20
    let opened = try Lzw.decompress(bytes, limit: limit)
    precondition(opened.count <= limit)
}

/// Numbers that are none are not equal to themselves, so the bytes are compared.
private func readCoordinate(_ bytes: [UInt8]) throws(WireError) {
    let written = try CoordinatePayload.decode(bytes).encoded()
    let again = mustRead { () throws(WireError) in try CoordinatePayload.decode(written) }
    precondition(again.encoded() == written, "\(again) is not what was written")
}

/// A stream in two pieces ends where it ends in one, and fails where it fails.
private func scan(_ bytes: [UInt8]) throws(WireError) {
    var pieces = StreamScanner()
    var first: StreamScanner.Progress?
    let half = [UInt8](bytes[..<(bytes.count / 2)])
    do throws(WireError) {
        first = try pieces.scan(half)
    } catch {
        first = nil
    }
    var whole = StreamScanner()
    let progress: StreamScanner.Progress
    do throws(WireError) {
        progress = try whole.scan(bytes)
    } catch {
        guard case .complete? = first else { throw error }
        preconditionFailure("half of it was whole")
    }
    guard first != nil else { preconditionFailure("half of it failed, and all of it did not") }
    let second = mustRead { () throws(WireError) in try pieces.scan(bytes) }
    precondition(second == progress, "two pieces end elsewhere than one")
    guard case .complete(let length) = progress else { return }
    precondition(length <= bytes.count)
    let body = [UInt8](bytes[..<length])
    if EncryptedFrame.isStream(body) {
        let frame = try EncryptedFrame(stream: body)
        precondition(frame.stream() == body)
    } else {
        _ = try StreamBody.decode(body)
    }
}

private func packAgain(_ bytes: [UInt8]) {
    let opened = mustRead { () throws(WireError) in
        try Lzw.decompress(Lzw.compress(bytes), limit: bytes.count)
    }
    precondition(opened == bytes, "compression loses something")
}

/// What we wrote ourselves can be read.
private func mustRead<Value>(_ body: () throws(WireError) -> Value) -> Value {
    do throws(WireError) {
        return try body()
    } catch {
        preconditionFailure("what was written is refused: \(error)")
    }
}
