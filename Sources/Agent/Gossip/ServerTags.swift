// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore

/// What a server says of itself to the others.
struct ServerTags: Sendable {
    /// The identity of the data directory.
    var storeID: String
    /// The cluster.
    var cluster: String
    /// Where gRPC listens.
    var grpc: ListenAddress
    /// What clients of gRPC are told instead; empty for nothing else.
    var grpcAdvertise: String
    /// Where Kafka's clients connect.
    var kafka: ListenAddress?
    /// What Kafka's clients are told instead; empty for nothing else.
    var kafkaAdvertise: String

    /// The tags.
    ///
    /// The administration over HTTP has none, as long as there is none.
    ///
    /// - Parameter host: Where the others reach this machine: a service that listens on all
    ///   addresses is there too, and one that listens on loopback is announced only to those who
    ///   are on this machine as well.
    func tags(host: String) -> [String: String] {
        var tags = [
            ClusterMember.TagName.storeID: storeID, ClusterMember.TagName.cluster: cluster,
            ClusterMember.TagName.version: Release.number,
        ]
        tags[ClusterMember.TagName.grpc] = Self.announced(grpc, grpcAdvertise, host: host)
        tags[ClusterMember.TagName.kafka] = kafka.flatMap {
            Self.announced($0, kafkaAdvertise, host: host)
        }
        return tags
    }

    private static func announced(
        _ bound: ListenAddress, _ advertised: String, host: String
    ) -> String? {
        if !advertised.isEmpty { return advertised }
        let here = ListenAddress(host: host, port: bound.port)
        if bound.isUnspecified { return here.description }
        if bound.isLoopback == true, here.isLoopback != true { return nil }
        return bound.description
    }
}
