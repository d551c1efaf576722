// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import SerfWire

/// A socket that says whatever a test wants said, and is no member.
final class RawPeer: Sendable {
    private let channel: any Channel

    private init(channel: any Channel) {
        self.channel = channel
    }

    static func start(at address: String) async throws -> RawPeer {
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: address, port: 0).get()
        return RawPeer(channel: channel)
    }

    func send(_ message: SwimMessage, to endpoint: String) async throws {
        try await send(message.encoded(), to: endpoint)
    }

    func send(_ bytes: [UInt8], to endpoint: String) async throws {
        let parts = endpoint.split(separator: ":")
        let address = try SocketAddress(
            ipAddress: String(parts[0]), port: Int(parts[1]) ?? AgentProcess.port)
        try await channel.writeAndFlush(
            AddressedEnvelope(remoteAddress: address, data: ByteBuffer(bytes: bytes))
        ).get()
    }

    /// Opens a stream, sends the bytes and closes it, whatever the other side makes of them.
    static func stream(_ bytes: [UInt8], to endpoint: String) async throws {
        let parts = endpoint.split(separator: ":")
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(3))
            .connect(host: String(parts[0]), port: Int(parts[1]) ?? AgentProcess.port).get()
        // The other side may close before it has read everything; that is its right.
        try? await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
        try? await channel.close().get()
    }

    func close() {
        channel.close(promise: nil)
    }
}
