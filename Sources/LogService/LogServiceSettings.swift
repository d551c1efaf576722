// SPDX-License-Identifier: Apache-2.0

/// Limits and names of the gRPC services.
public struct LogServiceSettings: Sendable {
    /// The topic whose first partition log.v1 serves.
    public var bookTopic = "default"
    /// Where clients reach this node's gRPC, as host:port; asked at each GetServers, since the port
    /// may be known only once the server listens.
    public var advertisedAddress: @Sendable () -> String = { "" }
    /// Unanswered records, or batches, of one stream: beyond, the server stops reading.
    public var windowCountMax = 16_384
    /// Bytes of unanswered records, or batches, of one stream: beyond, the server stops reading.
    public var windowBytesMax = 8 << 20
    /// Bytes of batches in a Consume message where the request does not say.
    public var messageBytesDefault = 1 << 20
    /// The most bytes of batches in a Consume message that a request may ask for: with what decoding
    /// adds, they stay under the 4 MiB that gRPC clients accept by default.
    public var messageBytesMax = 2 << 20
    /// Partitions in one Consume or ListOffsets.
    public var positionsMax = 1024
    /// How often a health Watch looks at the disk.
    public var healthCheckInterval = Duration.seconds(1)

    /// The defaults.
    public init() {}
}
