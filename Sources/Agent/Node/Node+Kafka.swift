// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import KafkaService
internal import Logging
internal import NIOCore
internal import NIOPosix

/// The Kafka port of a node.
extension Node {
    /// Listens for Kafka clients, if the settings say so.
    static func listenForKafka(
        on address: ListenAddress?, broker: Broker, settings: Settings,
        loops: MultiThreadedEventLoopGroup, connections: ConnectionLimits, logger: Logger
    ) async throws(Fault) -> KafkaListener? {
        guard let address else { return nil }
        do {
            return try await KafkaListener.start(
                host: address.host, port: address.port, broker: broker,
                settings: settings.kafkaService(clusterID: clusterID(of: broker.storeID)),
                logger: logger, on: loops,
                prepare: { channel in
                    try channel.pipeline.syncOperations.addHandler(
                        ConnectionCount(connections: connections, logger: logger))
                })
        } catch {
            throw Listener.fault(error, listeningOn: address, flag: "--kafka")
        }
    }

    /// The store's 128 bits as Kafka's clients expect a cluster's id: base64 without padding.
    static func clusterID(of storeID: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var bits: UInt32 = 0
        var count = 0
        var text = ""
        for digit in storeID {
            bits = bits << 4 | UInt32(digit.hexDigitValue ?? 0)
            count += 4
            while count >= 6 {
                count -= 6
                text.append(alphabet[Int(bits >> UInt32(count) & 63)])
            }
        }
        if count > 0 { text.append(alphabet[Int(bits << UInt32(6 - count) & 63)]) }
        return text
    }
}

extension Settings {
    /// What the Kafka listener is set to.
    func kafkaService(clusterID: String) -> KafkaSettings {
        var service = KafkaSettings()
        service.clusterID = clusterID
        service.autoCreateTopics = kafka.autoCreateTopics
        service.advertised = ListenAddress(listen.kafkaAdvertise).map {
            KafkaSettings.Address(host: $0.host, port: Int32($0.port))
        }
        service.requestBytesMax = kafka.requestBytes
        service.fetchBytesMax = kafka.fetchBytes
        service.connectionBytesMax = kafka.connectionBytes
        service.serverBytesMax = kafka.totalBytes
        service.idleMax = limits.connectionIdle.milliseconds
        service.requestTimeMax = limits.handshake.milliseconds
        return service
    }
}

/// Counts a connection, and closes it if it is one too many.
///
/// Owned by the connection's event loop.
private final class ConnectionCount: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connections: ConnectionLimits
    private let logger: Logger
    private var counted: ConnectionLimits.Peer?

    init(connections: ConnectionLimits, logger: Logger) {
        self.connections = connections
        self.logger = logger
    }

    func channelActive(context: ChannelHandlerContext) {
        // The handlers behind must see the connection begin before they see it end.
        context.fireChannelActive()
        let peer = ConnectionLimits.Peer(context.remoteAddress)
        if let refusal = connections.open(peer) {
            logger.warning(
                "a Kafka connection was refused",
                metadata: [
                    "client": "\(context.remoteAddress?.ipAddress ?? "unknown")",
                    "reason": "\(refusal.rawValue)",
                ])
            context.close(promise: nil)
        } else {
            counted = peer
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let counted { connections.close(counted) }
        counted = nil
        context.fireChannelInactive()
    }
}
