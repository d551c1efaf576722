// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Logging
internal import NIOCore

/// Turns a node's limits into the gRPC transport's, leaving none to its defaults.
enum TransportSettings {
    /// The transport's configuration.
    ///
    /// - Parameters:
    ///   - limits: What clients may do.
    ///   - connections: Counts them.
    ///   - logger: Told of connections that are refused or closed.
    static func make(
        _ limits: LimitSettings, connections: ConnectionLimits, logger: Logger
    ) -> HTTP2ServerTransport.Posix.Config {
        typealias Config = HTTP2ServerTransport.Config
        var connection = Config.Connection(
            // The guard asks clients to leave by age: it spreads them in time.
            maxAge: nil,
            maxGraceTime: limits.connectionGrace,
            maxIdleTime: limits.connectionIdle,
            keepalive: Config.Keepalive(
                time: limits.keepaliveTime,
                timeout: limits.keepaliveTimeout,
                clientBehavior: Config.ClientKeepaliveBehavior(
                    minPingIntervalWithoutCalls: limits.clientPingInterval,
                    allowWithoutCalls: true)))
        // Small answers share a write: fewer system calls for up to 0.1 ms.
        connection.flushCoalescing = .init(maxFlushDelay: .microseconds(100), maxBytes: 64 << 10)
        let guardLimits = guardLimits(limits)
        return HTTP2ServerTransport.Posix.Config(
            http2: Config.HTTP2(
                maxFrameSize: 64 << 10,
                // What a client may have under way: enough for 1 GB/s at 1 ms.
                targetWindowSize: 1 << 20,
                maxConcurrentStreams: limits.streams),
            rpc: Config.RPC(maxRequestPayloadSize: limits.messageBytes),
            connection: connection,
            // Batches are compressed by who makes them; a compressed message could grow on opening.
            compression: Config.Compression(enabledAlgorithms: .none),
            channelDebuggingCallbacks: Config.ChannelDebuggingCallbacks(
                onBindTCPListener: nil,
                onAcceptTCPConnection: { channel in
                    channel.eventLoop.makeCompletedFuture {
                        // In front of all others, to see each byte that comes in.
                        try channel.pipeline.syncOperations.addHandler(
                            ConnectionGuard(
                                peer: channel.remoteAddress, limits: guardLimits,
                                connections: connections, logger: logger),
                            position: .first)
                    }
                },
                onAcceptHTTP2Stream: { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            MessageSizeGuard(messageSizeMax: limits.messageBytes),
                            position: .first)
                    }
                }))
    }

    private static func guardLimits(_ limits: LimitSettings) -> ConnectionGuard.Limits {
        ConnectionGuard.Limits(
            handshake: TimeAmount(limits.handshake),
            // The transport asks after `keepaliveTime` without a byte; the second is for the way.
            silence: TimeAmount(limits.keepaliveTime + limits.keepaliveTimeout + .seconds(1)),
            age: TimeAmount(limits.connectionAge),
            grace: TimeAmount(limits.connectionGrace))
    }
}
