// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Synchronization

/// A connection to an agent's IPC port, with the handshake done.
///
/// Requests may be asked at the same time; each waits for its own answer. What belongs to a stream, a
/// query or a monitor comes out of the `Records` that asking for it gave.
final class SerfIPC: Sendable {
    struct Refused: Error, CustomStringConvertible {
        var command: String
        var error: String
        var body: PackValue?

        var description: String { "\(command): \(error)" }
    }

    struct Closed: Error, CustomStringConvertible {
        var cause: String

        var description: String { "the connection to the agent is closed (\(cause))" }
    }

    typealias Records = AsyncStream<PackValue>

    private struct Pending {
        var command: String
        var continuation: CheckedContinuation<PackValue?, any Error>
    }

    private struct State {
        var dispatcher = IPCDispatcher()
        var sequence: UInt64 = 0
        var pending: [UInt64: Pending] = [:]
        var records: [UInt64: Records.Continuation] = [:]
        var isClosed = false
    }

    /// Many more than any scenario leaves unread.
    private static let recordsMax = 65_536

    private let channel: any Channel
    private let state: Mutex<State>

    private init(channel: any Channel) {
        self.channel = channel
        self.state = Mutex(State())
    }

    static func connect(to address: String, port: Int = 7373) async throws -> SerfIPC {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(3))
            .connect(host: address, port: port).get()
        let client = SerfIPC(channel: channel)
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandler(Receiver(client: client))
        }.get()
        try await client.ask(.handshake)
        return client
    }

    func close() {
        channel.close(promise: nil)
    }

    /// The answer's body, if the command has one.
    @discardableResult
    func ask(_ request: IPCRequest) async throws -> PackValue? {
        try await ask(request, records: nil)
    }

    /// Asks for something that goes on: records come until the stream is no longer listened to.
    func records(_ request: IPCRequest) async throws -> Records {
        let (stream, continuation) = Records.makeStream(
            bufferingPolicy: .bufferingNewest(Self.recordsMax))
        _ = try await ask(request, records: continuation)
        return stream
    }

    private func ask(
        _ request: IPCRequest, records: Records.Continuation?
    ) async throws -> PackValue? {
        try await withCheckedThrowingContinuation { continuation in
            let bytes: [UInt8]? = state.withLock { state in
                guard !state.isClosed else { return nil }
                state.sequence += 1
                state.dispatcher.expect(request.answer, for: state.sequence)
                state.pending[state.sequence] = Pending(
                    command: request.command, continuation: continuation)
                state.records[state.sequence] = records
                return request.encoded(sequence: state.sequence)
            }
            guard let bytes else {
                continuation.resume(throwing: Closed(cause: "before \(request.command)"))
                return
            }
            channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
        }
    }

    fileprivate func received(_ bytes: [UInt8]) throws {
        let outcomes = try state.withLock { try $0.dispatcher.receive(bytes) }
        for outcome in outcomes { deliver(outcome) }
    }

    private func deliver(_ outcome: IPCDispatcher.Outcome) {
        switch outcome {
        case .answered(let sequence, let body):
            let pending = state.withLock { $0.pending.removeValue(forKey: sequence) }
            pending?.continuation.resume(returning: body)
        case .refused(let sequence, let error, let body):
            let (pending, records) = state.withLock {
                ($0.pending.removeValue(forKey: sequence), $0.records.removeValue(forKey: sequence))
            }
            records?.finish()
            pending?.continuation.resume(
                throwing: Refused(command: pending?.command ?? "", error: error, body: body))
        case .record(let sequence, let value):
            _ = state.withLock { $0.records[sequence] }?.yield(value)
        }
    }

    fileprivate func closed(cause: String) {
        let (pending, records) = state.withLock { state in
            defer {
                state.pending = [:]
                state.records = [:]
                state.isClosed = true
            }
            return (Array(state.pending.values), Array(state.records.values))
        }
        for one in pending {
            one.continuation.resume(throwing: Closed(cause: cause))
        }
        for one in records { one.finish() }
    }

    private final class Receiver: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let client: SerfIPC
        private var cause = "by the agent"

        init(client: SerfIPC) {
            self.client = client
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            do {
                try client.received(Array(buffer: unwrapInboundIn(data)))
            } catch {
                errorCaught(context: context, error: error)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            cause = "\(error)"
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            client.closed(cause: cause)
        }
    }
}
