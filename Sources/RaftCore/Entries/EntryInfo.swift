// SPDX-License-Identifier: Apache-2.0

public import Positions

/// What the core knows of an entry: everything but its content.
public struct EntryInfo: Sendable, Equatable {
    /// What an entry is for.
    public enum Kind: Sendable, Equatable {
        /// Somebody's data.
        case data
        /// What a new leader appends first, so that it can commit (Raft section 8).
        case noOp
        /// From here on these are the members.
        indirect case configuration(Configuration)
    }

    /// The term in which a leader first appended it.
    public var term: Term
    /// About how many bytes it takes on the wire and in memory.
    public var size: Int
    /// What it is for.
    public var kind: Kind

    /// An entry with these properties.
    public init(term: Term, size: Int, kind: Kind = .data) {
        self.term = term
        self.size = size
        self.kind = kind
    }

    /// The members that the entry names, if it is a configuration.
    public var configuration: Configuration? {
        if case .configuration(let configuration) = kind { configuration } else { nil }
    }
}
