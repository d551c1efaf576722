// SPDX-License-Identifier: Apache-2.0

public import SwimCore

/// Why a command, or the making of a node, was refused or did not succeed.
public enum SerfError: Error, Sendable, Equatable {
    /// The node has not started, leaves, or has ended.
    case notRunning(Serf.Phase)
    /// A node's name is empty or longer than 255 bytes.
    case invalidName(size: Int)
    /// The tags take more than the limit, encoded, in bytes.
    case tagsTooLarge(size: Int, limit: Int)
    /// A user event takes more than the limit, in bytes.
    case eventTooLarge(size: Int, limit: Int)
    /// A query takes more than the limit, encoded, in bytes.
    case queryTooLarge(size: Int, limit: Int)
    /// A query's answer takes more than the limit, encoded, in bytes.
    case responseTooLarge(size: Int, limit: Int)
    /// A name that begins with `_serf_` belongs to Serf itself.
    case reservedName(String)
    /// None of the addresses could be joined.
    case joinFailed([JoinFailure])
    /// More addresses, or more commands under way, than allowed.
    case tooMany(limit: Int)
    /// No member has this name.
    case unknownMember(String)
    /// A node is not forced to leave by itself: it leaves.
    case ownName
    /// The query is unknown here, or its deadline has passed.
    case queryOver
    /// The query was answered before.
    case alreadyAnswered
    /// The others could not be told within the broadcast timeout.
    case broadcastTimedOut
    /// Messages are not encrypted, so there are no keys to change.
    case noKeyring
    /// A key has 16, 24 or 32 bytes.
    case keySize(Int)
    /// A keyring holds at least one and at most so many keys.
    case keyCount(limit: Int)
    /// The key is not in the keyring.
    case keyNotInstalled
    /// The first key encrypts, and cannot be removed.
    case keyIsPrimary
    /// The node ended before the command did.
    case stopped(StopReason)
}

extension SerfError: CustomStringConvertible {
    /// One sentence, without any key.
    public var description: String {
        switch self {
        case .notRunning(.new): "the node has not started"
        case .notRunning(.leaving): "the node is leaving"
        case .notRunning: "the node has ended"
        case .invalidName(let size): "a node name has 1 to 255 bytes, not \(size)"
        case .tagsTooLarge(let size, let limit): Self.tooLarge("the tags take", size, limit)
        case .eventTooLarge(let size, let limit): Self.tooLarge("the event takes", size, limit)
        case .queryTooLarge(let size, let limit): Self.tooLarge("the query takes", size, limit)
        case .responseTooLarge(let size, let limit):
            Self.tooLarge("the answer takes", size, limit)
        case .reservedName(let name): "'\(name)' begins with _serf_, which Serf keeps for itself"
        case .joinFailed(let failures):
            failures.isEmpty
                ? "no address could be joined"
                : "no address could be joined: "
                    + failures.map { "\($0.endpoint): \($0.reason)" }.joined(separator: "; ")
        case .tooMany(let limit): "more than \(limit) at a time"
        case .unknownMember(let name): "no member is named '\(name)'"
        case .ownName: "a node cannot force itself to leave"
        case .queryOver: "the query is over"
        case .alreadyAnswered: "the query was answered before"
        case .broadcastTimedOut: "the other members could not be told in time"
        case .noKeyring: "there is no keyring: messages are not encrypted"
        case .keySize(let size): "a key has 16, 24 or 32 bytes, not \(size)"
        case .keyCount(let limit): "a keyring holds 1 to \(limit) keys"
        case .keyNotInstalled: "the key is not in the keyring"
        case .keyIsPrimary: "the primary key cannot be removed"
        case .stopped(.left): "the node has left"
        case .stopped(.nameConflict): "the node has stopped: another has its name"
        }
    }

    private static func tooLarge(_ what: String, _ size: Int, _ limit: Int) -> String {
        "\(what) \(size) bytes; at most \(limit)"
    }
}
