// SPDX-License-Identifier: Apache-2.0

/// What the Kafka listener is set to.
public struct KafkaSettings: Sendable {
    /// The number that clients know this node by.
    public var nodeID: Int32 = 1
    /// The cluster's id as clients see it: 22 characters of base64, as Kafka writes a UUID.
    public var clusterID = ""
    /// What clients are told to connect to; `nil` for the address that each has reached already,
    /// which is right unless something between translates addresses.
    public var advertised: Address?
    /// Whether a topic that is asked for by name, and is not there, is created.
    public var autoCreateTopics = true

    /// Bytes of one request: 1 KiB to 1 GiB.
    public var requestBytesMax = 100 << 20
    /// Bytes of one fetch answer: the first batch comes whole even if it is larger.
    public var fetchBytesMax = 16 << 20
    /// The longest that a fetch may wait, in milliseconds.
    public var fetchWaitMax: Int64 = 60_000
    /// Bytes of requests that are under way for one connection before it is read no further.
    public var connectionBytesMax = 16 << 20
    /// Bytes of requests and answers that are under way for all connections.
    public var serverBytesMax = 512 << 20
    /// Milliseconds after which a connection without requests is closed.
    public var idleMax: Int64 = 600_000
    /// Milliseconds that a new connection may take for its first request, and any from a request's
    /// first byte to its last, if no more than 32 KiB a second come.
    public var requestTimeMax: Int64 = 30_000
    /// Connections of one client address.
    public var connectionsPerAddressMax = 1024
    /// Connections in all.
    public var connectionsMax = 4096

    /// Where a client connects to.
    public struct Address: Sendable, Equatable {
        public var host: String
        public var port: Int32

        /// An address of these.
        public init(host: String, port: Int32) {
            self.host = host
            self.port = port
        }
    }

    /// The default settings.
    public init() {}
}
