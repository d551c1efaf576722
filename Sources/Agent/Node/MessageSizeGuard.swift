// SPDX-License-Identifier: Apache-2.0

internal import Faults
internal import FoundationEssentials
internal import LogService
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2

/// Refuses a gRPC message over the limit by the length in front of it, with a status that says so.
///
/// The transport would reset the stream, and the caller would learn no more than that its call was
/// cancelled. This handler stands in front of it, follows the five bytes before each message (a flag
/// and the length) and ends the call itself. Nothing of the message is kept.
///
/// Owned by the stream's event loop.
final class MessageSizeGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = HTTP2Frame.FramePayload
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private static let prefixSize = 5
    /// For the client to end the stream once it was told.
    private static let patience = TimeAmount.seconds(1)

    private let messageSizeMax: Int
    /// Bytes of the message that are still to come.
    private var messageLeft = 0
    /// Bytes of the prefix that are there, and the length so far.
    private var prefixCount = 0
    private var length = 0
    private var hasSentHeaders = false
    private var hasRefused = false
    private var closing: Scheduled<Void>?

    init(messageSizeMax: Int) {
        self.messageSizeMax = messageSizeMax
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasRefused else { return }
        if case .data(let frame) = unwrapInboundIn(data), case .byteBuffer(let buffer) = frame.data,
            let size = sizeOverLimit(in: buffer.readableBytesView)
        {
            refuse(context, size)
            return
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !hasRefused else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        if case .headers = unwrapOutboundIn(data) { hasSentHeaders = true }
        context.write(data, promise: promise)
    }

    /// The size of the first message that begins in these bytes and is over the limit.
    private func sizeOverLimit(in bytes: ByteBufferView) -> Int? {
        var position = bytes.startIndex
        while position < bytes.endIndex {
            if messageLeft > 0 {
                let passed = min(messageLeft, bytes.endIndex - position)
                messageLeft -= passed
                position += passed
                continue
            }
            if prefixCount > 0 { length = length << 8 | Int(bytes[position]) }
            prefixCount += 1
            position += 1
            guard prefixCount == Self.prefixSize else { continue }
            if length > messageSizeMax { return length }
            messageLeft = length
            length = 0
            prefixCount = 0
        }
        return nil
    }

    private func refuse(_ context: ChannelHandlerContext, _ size: Int) {
        hasRefused = true
        let fault = Fault(
            .batchTooLarge, "the message has \(size) bytes, the limit is \(messageSizeMax)")
        var headers = HPACKHeaders()
        if !hasSentHeaders {
            headers.add(name: ":status", value: "200")
            headers.add(name: "content-type", value: "application/grpc")
        }
        // INVALID_ARGUMENT, as for a record over its topic's limit: no repetition will help.
        headers.add(name: "grpc-status", value: "3")
        headers.add(name: "grpc-message", value: fault.description)
        headers.add(
            name: "grpc-status-details-bin",
            value: Data(fault.statusDetails).base64EncodedString())
        let trailers = HTTP2Frame.FramePayload.headers(.init(headers: headers, endStream: true))
        context.writeAndFlush(wrapOutboundOut(trailers), promise: nil)
        // Closing resets the stream, and a reset can overtake the status in the client. A client
        // that has read the status ends the stream by itself.
        closing = context.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        closing?.cancel()
        context.fireChannelInactive()
    }
}
