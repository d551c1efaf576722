// SPDX-License-Identifier: Apache-2.0

/// The stable number of each failure that a user can meet, the same in the server, the client, the
/// command line and the logs.
///
/// A number is never given a new meaning.
public enum ErrorCode: Int, Sendable, CaseIterable {
    // 1xxx: what was asked for cannot be done.
    case invalidArgument = 1001
    case topicNotFound = 1002
    case topicExists = 1003
    case invalidTopicName = 1004
    case invalidPartitionCount = 1005
    case partitionNotFound = 1006
    case offsetOutOfRange = 1007
    case batchTooLarge = 1008
    case invalidBatch = 1009
    case corruptBatch = 1010
    case unsupportedCompression = 1011
    case invalidSetting = 1012
    case unknownSetting = 1013
    case outOfOrderSequence = 1014
    case invalidProducerEpoch = 1015
    case groupNotFound = 1016
    case groupNotEmpty = 1017
    case invalidGroup = 1018
    case memberNotFound = 1019

    // 2xxx: the disk and what is on it.
    case diskFull = 2001
    case storageFailed = 2002
    case dataLoss = 2003
    case partitionReadOnly = 2004
    case dataDirectoryLocked = 2005
    case dataDirectoryUnusable = 2006
    case unsupportedFormat = 2007

    // 3xxx: the server.
    case shuttingDown = 3001
    case overloaded = 3002
    case addressInUse = 3003
    case plaintextRefused = 3004
    case internalError = 3005
    case notLeader = 3006
    case gossipNotRunning = 3007
    case joinFailed = 3008
    case gossipNotEncrypted = 3009
    case keysDiffer = 3010

    // 4xxx: the configuration.
    case unknownKey = 4001
    case invalidValue = 4002
    case configurationUnreadable = 4003

    // 5xxx: between client and server.
    case unreachable = 5001
    case deadlineExceeded = 5002
    case cancelled = 5003
    case closed = 5004
    case unexpectedAnswer = 5005

    // 6xxx: the command line.
    case inputUnreadable = 6001
    case outputFailed = 6002
    case invalidUsage = 6003
    case notConfirmed = 6004

    /// The code as users see it, such as `CW-1007`.
    public var text: String { "CW-\(rawValue)" }

    /// The code that a text names, with or without the `CW-`.
    public init?(text: String) {
        let digits = text.uppercased().hasPrefix("CW-") ? String(text.dropFirst(3)) : text
        guard let number = Int(digits), let code = ErrorCode(rawValue: number) else { return nil }
        self = code
    }
}

/// A failure with its stable code: what happened, and what to do about it.
public struct Fault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The stable number.
    public var code: ErrorCode
    /// What happened, with the values at hand: one line, no full stop.
    public var message: String
    /// What the user can do in this very case; ``ErrorCode/remedy`` when `nil`.
    public var hint: String?
    /// The offsets that are there, for ``ErrorCode/offsetOutOfRange``.
    public var validOffsets: Range<Int64>?

    /// A fault with these values.
    public init(
        _ code: ErrorCode, _ message: String, hint: String? = nil,
        validOffsets: Range<Int64>? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.validOffsets = validOffsets
    }

    public var description: String { "\(message) [\(code.text)]" }
}
