// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
internal import GroupCore
internal import KafkaProtocol

extension KafkaErrorCode {
    /// What the coordinator says; none if it says nothing.
    init(_ error: GroupError?) {
        self = error.map { KafkaErrorCode(rawValue: $0.rawValue) } ?? .none
    }
}

extension TopicID {
    /// The id as one number, as the coordinator keeps it.
    var number: UInt128 { UInt128(high) << 64 | UInt128(low) }
}
