// SPDX-License-Identifier: Apache-2.0

public import CommitLog
public import RaftCore
public import Records

/// What one replica tells another: the core's message, whose group it is about, and the entries' content.
public struct PeerMessage: Sendable, Equatable {
    /// The group.
    public var group: GroupID
    /// What the cores tell each other.
    public var message: Message
    /// The content of the message's entries, one for one; empty for other messages.
    public var entries: [LogEntry]
    /// Of a snapshot: the offset of the first record that is still there.
    public var offset: Offset

    /// A message.
    public init(
        group: GroupID, message: Message, entries: [LogEntry] = [], offset: Offset = .zero
    ) {
        self.group = group
        self.message = message
        self.entries = entries
        self.offset = offset
    }
}

/// All that one node has to tell another at one moment, of all groups that they share.
///
/// Without messages it is a sign of life.
public struct NodeMessage: Sendable, Equatable {
    /// The sender.
    public var from: UInt64
    /// Grows with each start of the sender.
    public var incarnation: UInt64
    /// The receiver.
    public var to: UInt64
    /// The cluster that both belong to; a message of another one is dropped.
    public var cluster: UInt64
    /// In the order in which they were sent.
    public var messages: [PeerMessage]

    /// A message between nodes.
    public init(
        from: UInt64, incarnation: UInt64, to: UInt64, cluster: UInt64, messages: [PeerMessage]
    ) {
        self.from = from
        self.incarnation = incarnation
        self.to = to
        self.cluster = cluster
        self.messages = messages
    }
}

extension LogEntry {
    /// What the core knows of the entry.
    ///
    /// - Throws: That the words of a configuration are none.
    func info() throws(PeerMessageError) -> EntryInfo {
        let kind: EntryInfo.Kind
        switch self.kind {
        case .noOp: kind = .noOp
        case .configuration:
            let words = payload.array
            guard let configuration = Configuration(encoded: words[...]) else {
                throw .malformed("a configuration")
            }
            kind = .configuration(configuration)
        default: kind = .data
        }
        return EntryInfo(term: term, size: size, kind: kind)
    }
}

/// Why bytes are no message.
public enum PeerMessageError: Error, Sendable, Equatable {
    case unsupported(version: Int)
    case tooLarge(Int)
    /// What was read when the bytes made no sense.
    case malformed(String)
}
