// SPDX-License-Identifier: Apache-2.0

internal import Faults
internal import KafkaProtocol

extension KafkaErrorCode {
    /// What Kafka calls a failure.
    ///
    /// What passes is a code after which clients try again; one that ends a producer never stands for
    /// something that passes.
    init(_ fault: Fault) {
        switch fault.code {
        case .invalidArgument, .invalidUsage, .invalidValue: self = .invalidRequest
        case .topicNotFound, .partitionNotFound: self = .unknownTopicOrPartition
        case .topicExists: self = .topicAlreadyExists
        case .invalidTopicName: self = .invalidTopicException
        case .invalidPartitionCount: self = .invalidPartitions
        case .offsetOutOfRange: self = .offsetOutOfRange
        case .batchTooLarge: self = .messageTooLarge
        case .invalidBatch: self = .invalidRecord
        case .corruptBatch: self = .corruptMessage
        case .unsupportedCompression: self = .unsupportedCompressionType
        case .invalidSetting, .unknownSetting, .unknownKey: self = .invalidConfig
        case .outOfOrderSequence: self = .outOfOrderSequenceNumber
        case .invalidProducerEpoch: self = .invalidProducerEpoch
        case .groupNotFound: self = .groupIdNotFound
        case .groupNotEmpty: self = .nonEmptyGroup
        case .invalidGroup: self = .invalidGroupId
        case .diskFull, .storageFailed, .dataLoss, .partitionReadOnly, .dataDirectoryLocked,
            .dataDirectoryUnusable, .unsupportedFormat:
            self = .kafkaStorageError
        // The client asks for the leader again, and comes back.
        case .shuttingDown, .notLeader: self = .notLeaderOrFollower
        case .overloaded, .deadlineExceeded, .cancelled: self = .requestTimedOut
        case .addressInUse, .plaintextRefused, .internalError, .configurationUnreadable,
            .unreachable, .closed, .unexpectedAnswer, .inputUnreadable, .outputFailed,
            .notConfirmed, .memberNotFound, .gossipNotRunning, .joinFailed, .gossipNotEncrypted,
            .keysDiffer:
            self = .unknownServerError
        }
    }
}
