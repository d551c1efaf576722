// SPDX-License-Identifier: Apache-2.0

public import BrokerRuntime

/// The gossip of a node.
extension Node {
    /// What stands for gossip where the settings turn it off.
    static func absentGossip(_ settings: Settings) -> any ServerGossip {
        AbsentGossip(name: settings.nodeID, cluster: settings.clusterName)
    }

    /// Gossip that has started, with where it listens.
    static func pair(
        _ gossip: NodeGossip?, _ address: ListenAddress?
    ) -> (node: NodeGossip, address: ListenAddress)? {
        guard let gossip, let address else { return nil }
        return (gossip, address)
    }

    /// How the node's gossip does.
    public var gossipStatus: GossipStatus? { gossip?.status }
}

extension ServerTags {
    /// The tags of a node that listens.
    init(_ addresses: Addresses, _ settings: Settings, storeID: String) {
        self.init(
            storeID: storeID, cluster: settings.clusterName, grpc: addresses.grpc,
            grpcAdvertise: settings.listen.grpcAdvertise, kafka: addresses.kafka,
            kafkaAdvertise: settings.listen.kafkaAdvertise)
    }
}
