// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import ClusterCore
internal import Faults
internal import LogAPI

/// Checks of what comes from outside, before anything is done with it.
enum RequestChecks {
    /// Refuses what cannot be a topic's name, so that a name that cannot exist is told from one
    /// that does not.
    static func topicName(_ name: String) throws(Fault) {
        guard !name.isEmpty else { throw Fault(.invalidArgument, "the topic's name is missing") }
        try TopicName.check(name)
    }

    /// Refuses a group without a name.
    static func groupName(_ name: String) throws(Fault) {
        guard !name.isEmpty else { throw Fault(.invalidArgument, "the group's name is missing") }
    }

    /// The partition that a request names.
    static func partition(
        _ message: Cordwood_V1_TopicPartition, of broker: Broker
    ) throws(Fault) -> Partition {
        try topicName(message.topic)
        guard message.partition >= 0 else {
            throw Fault(.invalidArgument, "partition \(message.partition) is negative")
        }
        return try broker.partition(message.topic, Int(message.partition))
    }
}
