// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import LogAPI
internal import Synchronization

/// The way to one server: calls with deadlines, and every failure as a ``CordwoodError``.
final class ServerConnection: Sendable {
    typealias Transport = HTTP2ClientTransport.Posix

    let address: ServerAddress
    let requestTimeout: Duration
    let connectTimeout: Duration
    let log: Cordwood_V1_LogService.Client<Transport>
    let topics: Cordwood_V1_TopicService.Client<Transport>
    let groups: Cordwood_V1_GroupService.Client<Transport>
    let members: Cordwood_V1_MemberService.Client<Transport>
    let health: Grpc_Health_V1_Health.Client<Transport>
    private let client: GRPCClient<Transport>

    /// Bytes that a message in either direction may have: above any batch that a server accepts.
    private static let messageBytesMax = 128 << 20

    init(_ configuration: CordwoodClient.Configuration) throws(CordwoodError) {
        address = try ServerAddress(configuration.server)
        requestTimeout = configuration.requestTimeout
        connectTimeout = configuration.connectTimeout
        do {
            let transport = try Transport(
                target: address.target, transportSecurity: .plaintext,
                config: Self.transportConfig())
            client = GRPCClient(transport: transport)
        } catch {
            throw CordwoodError(error, server: configuration.server)
        }
        log = Cordwood_V1_LogService.Client(wrapping: client)
        topics = Cordwood_V1_TopicService.Client(wrapping: client)
        groups = Cordwood_V1_GroupService.Client(wrapping: client)
        members = Cordwood_V1_MemberService.Client(wrapping: client)
        health = Grpc_Health_V1_Health.Client(wrapping: client)
    }

    /// Connects when the first call comes, and again after losses, until ``close()`` or
    /// cancellation.
    func run() async throws(CordwoodError) {
        do {
            try await client.runConnections()
        } catch {
            throw CordwoodError(error, server: address.description)
        }
    }

    /// Takes no more calls, and ends ``run()`` once those under way are done.
    func close() { client.beginGracefulShutdown() }

    /// Makes a call of one request and one answer, within the request timeout.
    func call<Answer>(
        _ body: (CallOptions) async throws -> Answer
    ) async throws(CordwoodError) -> Answer {
        do {
            return try await body(Self.options(timeout: requestTimeout))
        } catch {
            throw self.error(error)
        }
    }

    /// Makes a streaming call, which may last for ever once the server has accepted it within the
    /// connect timeout.
    ///
    /// - Parameter body: Makes the call, and marks it accepted as soon as the server's first answer
    ///   is there.
    func stream(
        _ body: @escaping @Sendable (CallOptions, StreamAcceptance) async throws -> Void
    ) async throws(CordwoodError) {
        let acceptance = StreamAcceptance()
        do {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await Task.sleep(for: self.connectTimeout)
                    guard acceptance.isMarked else {
                        throw CordwoodError(
                            .unreachable, "no answer from \(self.address) in \(self.connectTimeout)"
                        )
                    }
                    return false
                }
                group.addTask {
                    try await body(Self.options(timeout: nil), acceptance)
                    return true
                }
                while let isFinished = try await group.next(), !isFinished {}
                group.cancelAll()
            }
        } catch {
            throw self.error(error)
        }
    }

    /// What a call's failure means; a cancelled task's calls fail in many ways that mean the same.
    private func error(_ error: any Error) -> CordwoodError {
        Task.isCancelled
            ? CordwoodError(.cancelled, "the call was cancelled")
            : CordwoodError(error, server: address.description)
    }

    private static func options(timeout: Duration?) -> CallOptions {
        var options = CallOptions.defaults
        options.timeout = timeout
        // A call to a server that is down fails at once in place of waiting for it to come up.
        options.waitForReady = false
        options.maxRequestMessageBytes = messageBytesMax
        options.maxResponseMessageBytes = messageBytesMax
        return options
    }

    private static func transportConfig() -> Transport.Config {
        .defaults { config in
            // While connecting is being put off, calls fail; so it is not put off for long.
            config.backoff.initial = .milliseconds(50)
            config.backoff.max = .seconds(1)
            // A peer that vanished without a word is noticed within 80 s. Servers refuse clients
            // that ask more often than once a minute.
            config.connection.keepalive = .init(
                time: .seconds(60), timeout: .seconds(20), allowWithoutCalls: false)
            // Fewer, larger frames for batches; what a slow reader may have waiting for it.
            config.http2.maxFrameSize = 256 << 10
            config.http2.targetWindowSize = 4 << 20
        }
    }
}

/// Whether the server has accepted a stream.
final class StreamAcceptance: Sendable {
    private let accepted = Mutex(false)

    /// The server has accepted it.
    func mark() { accepted.withLock { $0 = true } }

    /// Whether it has.
    var isMarked: Bool { accepted.withLock { $0 } }
}
