// SPDX-License-Identifier: Apache-2.0

/// What a replica is set to; times are counted in ticks, whose length the shell knows.
public struct RaftSettings: Sendable, Equatable {
    /// Ticks between a leader's signs of life: 1 or more.
    public var heartbeatTicks = 2
    /// Ticks without a leader until a follower campaigns, at least; at most twice as many.
    public var electionTicks = 12
    /// How much a replica wants to lead: 0 (most) to 3; it waits the longer the more.
    ///
    /// Only in the first round of an election: after that all are equal.
    public var reluctance = 0
    /// Bytes of entries in one message, at most; one entry in any case.
    public var messageBytesMax = 1 << 20
    /// Entries in one message, at most: 1 or more.
    public var messageEntriesMax = 1024
    /// Messages on their way to one follower, at most: 1 or more.
    public var inflightMessagesMax = 64
    /// Bytes on their way to one follower, at most; one message in any case.
    public var inflightBytesMax = 16 << 20
    /// Bytes of entries that are not committed, beyond which a leader takes no proposals.
    public var uncommittedBytesMax = 64 << 20
    /// How many entries' sizes are kept in memory beyond those that are needed.
    public var tailEntriesMax = 4096
    /// Reads that wait to be confirmed, at most.
    public var readsMax = 10_000
    /// Ticks without anything to do after which a group stops its clock; `nil` for never.
    public var quietTicks: Int?
    /// Whether the shell may lose entries that it has called durable, after a power cut: such a
    /// replica neither votes nor campaigns until it has caught up with an elected leader.
    public var isRelaxed = false

    #if PLANTED_BUGS
        /// The bug to have.
        public var bug: PlantedBug?
    #endif

    /// The default settings.
    public init() {}
}
