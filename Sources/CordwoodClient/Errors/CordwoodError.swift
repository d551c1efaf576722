// SPDX-License-Identifier: Apache-2.0

internal import Faults
public import Records

/// The one error that this library throws.
///
/// Decide by ``code`` or ``isRetryable``, show ``message`` and ``hint``. Codes are stable numbers,
/// the same in the server, the command line and the logs; a newer server may send codes that this
/// version has no name for.
public struct CordwoodError: Error, Sendable, Equatable {
    /// What kind of failure this is.
    public var code: Code
    /// What happened, with the values at hand: one line, no full stop.
    public var message: String
    /// What to do about it, in a sentence or two; empty where nothing is known.
    public var hint: String
    /// Whether the same request can succeed later, without anything being changed in it.
    ///
    /// A request that failed in this way may still have been carried out when the connection was
    /// lost before the answer came (``Code/unreachable``, ``Code/deadlineExceeded``).
    public var isRetryable: Bool
    /// The offsets that the partition holds, for ``Code/offsetOutOfRange``.
    public var validOffsets: Range<Offset>?

    /// An error with these values; hint and retryability are the code's unless stated.
    public init(
        _ code: Code, _ message: String, hint: String? = nil, isRetryable: Bool? = nil,
        validOffsets: Range<Offset>? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint ?? code.fault?.remedy ?? ""
        self.isRetryable = isRetryable ?? code.fault?.isRetryable ?? false
        self.validOffsets = validOffsets
    }
}

extension CordwoodError: CustomStringConvertible {
    /// The message and the code in one line.
    public var description: String { "\(message) [\(code)]" }
}

extension CordwoodError {
    /// The stable number of a kind of failure.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The number: 1007 for `CW-1007`.
        public var rawValue: Int

        /// The code of a number, known or not.
        public init(rawValue: Int) { self.rawValue = rawValue }

        init(_ fault: ErrorCode) { rawValue = fault.rawValue }

        /// What this version knows of the code.
        var fault: ErrorCode? { ErrorCode(rawValue: rawValue) }
    }
}

extension CordwoodError.Code: CustomStringConvertible {
    /// The code as users see it, such as `CW-1007`.
    public var description: String { "CW-\(rawValue)" }
}

extension CordwoodError.Code {
    /// An argument makes no sense.
    public static let invalidArgument = Self(.invalidArgument)
    /// There is no topic of that name.
    public static let topicNotFound = Self(.topicNotFound)
    /// A topic of that name exists already.
    public static let topicExists = Self(.topicExists)
    /// The name cannot be a topic's.
    public static let invalidTopicName = Self(.invalidTopicName)
    /// A topic has 1 to 1024 partitions.
    public static let invalidPartitionCount = Self(.invalidPartitionCount)
    /// The topic has no partition of that number.
    public static let partitionNotFound = Self(.partitionNotFound)
    /// The partition does not hold that offset; see ``CordwoodError/validOffsets``.
    public static let offsetOutOfRange = Self(.offsetOutOfRange)
    /// A record or batch is over the topic's `max.message.bytes`.
    public static let batchTooLarge = Self(.batchTooLarge)
    /// A batch does not follow the format.
    public static let invalidBatch = Self(.invalidBatch)
    /// A batch was damaged between client and server.
    public static let corruptBatch = Self(.corruptBatch)
    /// A batch is compressed in a way that is not served.
    public static let unsupportedCompression = Self(.unsupportedCompression)
    /// A setting's value cannot be used.
    public static let invalidSetting = Self(.invalidSetting)
    /// There is no setting of that name.
    public static let unknownSetting = Self(.unknownSetting)
    /// An idempotent producer's batch does not follow the one before.
    public static let outOfOrderSequence = Self(.outOfOrderSequence)
    /// A newer instance of the producer has taken its place.
    public static let invalidProducerEpoch = Self(.invalidProducerEpoch)
    /// There is no consumer group of that name.
    public static let groupNotFound = Self(.groupNotFound)
    /// The consumer group has members, which would be disturbed.
    public static let groupNotEmpty = Self(.groupNotEmpty)
    /// The name cannot be a consumer group's.
    public static let invalidGroup = Self(.invalidGroup)
    /// There is no member of that name in the cluster.
    public static let memberNotFound = Self(.memberNotFound)
    /// The server's disk is too full to accept records; reads go on.
    public static let diskFull = Self(.diskFull)
    /// The server's disk failed to store or return bytes.
    public static let storageFailed = Self(.storageFailed)
    /// Stored records are damaged.
    public static let dataLoss = Self(.dataLoss)
    /// The partition takes no records because damage was found in it.
    public static let partitionReadOnly = Self(.partitionReadOnly)
    /// The server is stopping.
    public static let shuttingDown = Self(.shuttingDown)
    /// The server has as much work waiting as it allows.
    public static let overloaded = Self(.overloaded)
    /// The partition has another leader, or none at the moment.
    public static let notLeader = Self(.notLeader)
    /// The server takes no part in gossip.
    public static let gossipNotRunning = Self(.gossipNotRunning)
    /// None of the addresses could be joined.
    public static let joinFailed = Self(.joinFailed)
    /// Gossip is not encrypted, so there are no keys to change.
    public static let gossipNotEncrypted = Self(.gossipNotEncrypted)
    /// Not every member did what was asked with a key.
    public static let keysDiffer = Self(.keysDiffer)
    /// The server met a state that should not be.
    public static let internalError = Self(.internalError)
    /// No server answers at the address, or the connection was lost.
    public static let unreachable = Self(.unreachable)
    /// The answer did not come in time.
    public static let deadlineExceeded = Self(.deadlineExceeded)
    /// The task was cancelled.
    public static let cancelled = Self(.cancelled)
    /// The client, producer or consumer was used outside its scope.
    public static let closed = Self(.closed)
    /// The server answered something that this version does not understand.
    public static let unexpectedAnswer = Self(.unexpectedAnswer)
}
