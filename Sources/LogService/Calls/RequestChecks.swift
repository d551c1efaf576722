// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import LogAPI

/// Checks of what comes from outside, before anything is done with it.
enum RequestChecks {
    /// Refuses what cannot be a topic's name, so that a name that cannot exist is told from one
    /// that does not.
    static func topicName(_ name: String) throws(Fault) {
        guard !name.isEmpty else { throw Fault(.invalidArgument, "the topic's name is missing") }
        let isSound =
            name.utf8.count <= 249 && name != "." && name != ".."
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "-"):
                    true
                default: false
                }
            }
        guard isSound else {
            throw Fault(.invalidTopicName, "\(quoted(name)) cannot be the name of a topic")
        }
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

    /// A name from outside, safe to print: short, and without control characters.
    private static func quoted(_ name: String) -> String {
        let shown = name.unicodeScalars.prefix(60).map { scalar in
            scalar.isASCII && scalar.value >= 0x20 && scalar.value != 0x7f
                ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
        }
        return "\"\(shown.joined())\(name.unicodeScalars.count > 60 ? "…" : "")\""
    }
}
