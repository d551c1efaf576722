// SPDX-License-Identifier: Apache-2.0

public import Positions

/// What a replica finds on its disk when it starts.
public struct RaftStart: Sendable, Equatable {
    /// From the journal.
    public var hardState = HardState()
    /// Where the log begins: the last entry that is gone, and its term.
    public var startIndex = LogIndex.zero
    public var startTerm = Term.zero
    /// The last entry.
    public var lastIndex = LogIndex.zero
    /// Where each term begins in the log, ascending.
    public var termStarts: [TermStart] = []
    /// What is known to be committed; a hint, never needed.
    public var commit = LogIndex.zero
    /// The members as of the log's start, or those that a new group begins with.
    public var configuration = Configuration(voters: [])
    /// The entries that change them, ascending; those that are committed need not be named but for
    /// the last.
    public var configurations: [IndexedConfiguration] = []
    /// Entries that were durable and cannot be read.
    public var damaged: [DamagedRange] = []
    /// The replica may have lost entries that it had called durable (``RaftSettings/isRelaxed``).
    public var mayHaveLostEntries = false

    public init() {}

    /// A term and its first entry.
    public struct TermStart: Sendable, Equatable {
        public var term: Term
        public var first: LogIndex

        public init(term: Term, first: LogIndex) {
            self.term = term
            self.first = first
        }
    }

    /// A configuration and its entry.
    public struct IndexedConfiguration: Sendable, Equatable {
        public var index: LogIndex
        public var configuration: Configuration

        public init(index: LogIndex, configuration: Configuration) {
            self.index = index
            self.configuration = configuration
        }
    }

    /// Entries that cannot be read.
    public struct DamagedRange: Sendable, Equatable {
        public var first: LogIndex
        public var last: LogIndex
        /// Whether the terms of all of them are known, from their headers or their neighbours.
        public var termsAreKnown: Bool

        public init(first: LogIndex, last: LogIndex, termsAreKnown: Bool) {
            self.first = first
            self.last = last
            self.termsAreKnown = termsAreKnown
        }
    }
}
