// SPDX-License-Identifier: Apache-2.0

internal import CordwoodClient
internal import Faults

/// What the process ends with.
///
/// A number is never given a new meaning.
public enum ProgramStatus: Int32, Sendable, CaseIterable {
    /// All was done.
    case success = 0
    /// It could not be done.
    case failed = 1
    /// The command line could not be understood, or needs a confirmation.
    case usage = 2
    /// A topic, partition, offset, group or member is not there.
    case notFound = 3
    /// It is not allowed.
    case denied = 4
    /// The answer did not come in time.
    case timeout = 5
    /// No server answers, it does not take work now, or what it stores is damaged.
    case unavailable = 6
    /// Ctrl-C or a signal ended it.
    case interrupted = 130

    /// The status for an error code.
    init(_ code: ErrorCode) {
        switch code {
        case .invalidUsage, .notConfirmed: self = .usage
        case .topicNotFound, .partitionNotFound, .groupNotFound, .memberNotFound,
            .offsetOutOfRange:
            self = .notFound
        case .plaintextRefused: self = .denied
        case .deadlineExceeded: self = .timeout
        case .unreachable, .shuttingDown, .overloaded, .notLeader, .diskFull, .storageFailed,
            .dataLoss, .partitionReadOnly, .gossipNotRunning, .joinFailed:
            self = .unavailable
        case .cancelled: self = .interrupted
        case .invalidArgument, .topicExists, .invalidTopicName, .invalidPartitionCount,
            .batchTooLarge, .invalidBatch, .corruptBatch, .unsupportedCompression,
            .invalidSetting, .unknownSetting, .outOfOrderSequence, .invalidProducerEpoch,
            .groupNotEmpty, .invalidGroup, .dataDirectoryLocked, .dataDirectoryUnusable,
            .unsupportedFormat, .addressInUse, .internalError, .unknownKey, .invalidValue,
            .configurationUnreadable, .closed, .unexpectedAnswer, .inputUnreadable, .outputFailed,
            .gossipNotEncrypted, .keysDiffer:
            self = .failed
        }
    }

    /// What the reference page says of it.
    var summary: String {
        switch self {
        case .success: "done"
        case .failed: "failed"
        case .usage: "the command line could not be understood, or needs a confirmation"
        case .notFound: "a topic, partition, offset, group or member is not there"
        case .denied: "not allowed"
        case .timeout: "no answer in time"
        case .unavailable: "no server answers, it takes no work now, or stored records are damaged"
        case .interrupted: "ended by Ctrl-C or a signal"
        }
    }
}
