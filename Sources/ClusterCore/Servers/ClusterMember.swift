// SPDX-License-Identifier: Apache-2.0

/// A member of the cluster as gossip tells of it: a server of Cordwood, or another that takes part,
/// such as the `serf` agent of an operator.
public struct ClusterMember: Sendable, Equatable {
    /// Something that a member says of itself.
    public struct Tag: Sendable, Equatable {
        public var name: String
        public var value: String

        /// A tag.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// How a member does, as those around it see it.
    public enum Status: String, Sendable, Equatable, CaseIterable {
        /// It answers.
        case alive
        /// It has said that it will leave.
        case leaving
        /// It has left as it should.
        case left
        /// It answers no more.
        case failed
    }

    /// Its name, which no other member has: of a server, its `node.id`.
    public var name: String
    /// Where it gossips, as `host:port`.
    public var address: String
    /// How it does.
    public var status: Status
    /// Since when, in milliseconds since the Unix epoch, by the clock of whoever saw it.
    public var since: Int64
    /// What it says of itself, by name.
    public let tags: [Tag]

    /// A member with these values.
    public init(
        name: String, address: String, status: Status, since: Int64, tags: [Tag]
    ) {
        self.name = name
        self.address = address
        self.status = status
        self.since = since
        self.tags = tags.sorted { $0.name < $1.name }
    }

    /// The value of a tag; `nil` where the member does not have it.
    public func tag(_ name: String) -> String? {
        tags.first { $0.name == name }?.value
    }
}

extension ClusterMember {
    /// The names of the tags that servers have.
    ///
    /// `admin` is for the administration over HTTP, which no server has yet.
    public enum TagName {
        public static let storeID = "id"
        public static let grpc = "grpc"
        public static let kafka = "kafka"
        public static let admin = "admin"
        public static let cluster = "cluster"
        public static let version = "version"
    }

    /// Whether it is a server of Cordwood: only those say which store they have.
    public var isServer: Bool { storeID != nil }
    /// The identity of a server's data directory.
    public var storeID: String? { tag(TagName.storeID) }
    /// Where gRPC reaches it, as `host:port`.
    public var grpcAddress: String? { tag(TagName.grpc) }
    /// Where Kafka's clients reach it, as `host:port`.
    public var kafkaAddress: String? { tag(TagName.kafka) }
    /// Where its administration over HTTP is, as `host:port`.
    public var adminAddress: String? { tag(TagName.admin) }
    /// The cluster that it belongs to.
    public var cluster: String? { tag(TagName.cluster) }
    /// The release that it runs.
    public var version: String? { tag(TagName.version) }
}
