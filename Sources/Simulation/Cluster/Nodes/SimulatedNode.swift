// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Positions
internal import RaftCore

/// One node of a simulated cluster, whatever it is made of.
///
/// It does nothing by itself: the world calls it, performs what it gives out, and asks what its disk
/// holds. A node that is not up keeps its disk.
protocol SimulatedNode {
    /// What travels between nodes.
    associatedtype Packet

    /// The replica: the node and the life of its disk.
    var id: ReplicaID { get }
    var isUp: Bool { get }
    /// The disk has failed, and the process is about to end.
    var hasFailed: Bool { get }
    /// The process has ended in the midst of a call.
    var mustStop: Crash? { get }
    var state: NodeState { get }
    var configuration: Configuration { get }
    /// The last entry that a power cut would leave, with all before it.
    var durableIndex: LogIndex { get }
    /// The last entry that is in the log.
    var writtenIndex: LogIndex { get }
    /// How many callers wait for an append.
    var waitingCount: Int { get }
    /// Entries that were durable and cannot be read.
    var isDamaged: Bool { get }
    var marks: Marks { get }

    /// The node of a replica whose disk is empty.
    init(_ setup: NodeSetup)

    // What happens to it. Each adds to `outputs` what is to be done, in order.

    mutating func start(_ outputs: inout [NodeOutput<Packet>]) throws(Violation)
    mutating func tick(_ outputs: inout [NodeOutput<Packet>]) throws(Violation)
    mutating func receive(_ packet: Packet, _ outputs: inout [NodeOutput<Packet>])
        throws(Violation)
    /// The disk has done, or failed to do, what ``NodeOutput/disk(_:)`` asked for.
    mutating func complete(
        _ operation: DiskOperation, fails: Bool, _ outputs: inout [NodeOutput<Packet>]
    ) throws(Violation)
    mutating func propose(_ proposals: [Proposal], _ outputs: inout [NodeOutput<Packet>])
        throws(Violation)
    mutating func receive(_ command: NodeCommand, _ outputs: inout [NodeOutput<Packet>])
        throws(Violation)
    /// The process ends, and with a power cut the disk keeps what it happens to keep.
    mutating func stop(_ crash: Crash, _ random: inout SplitMix64)
    /// Puts a fault into the disk.
    mutating func harm(_ harm: DiskHarm, _ random: inout SplitMix64)

    // What it holds.

    /// The entry at an index that is in the log.
    func content(at index: LogIndex) throws(Violation) -> EntryContent
    /// Where the log begins.
    func logStart() throws(Violation) -> LogStart
    /// Committed records from an offset on, as a consumer gets them.
    func poll(from offset: Int64, recordsMax: Int) throws(Violation) -> PollAnswer
    /// The offset behind the last record at or before an index.
    func endOffset(at index: LogIndex) throws(Violation) -> Int64
    /// A line for whoever reads what happened.
    func describe(_ packet: Packet) -> String
    /// What a leader believes of the others' disks; empty if it does not lead.
    var believedMatches: [(id: ReplicaID, match: LogIndex)] { get }
    func checkInvariants()
}

/// What a node is made from.
struct NodeSetup {
    var id: ReplicaID
    var settings: RaftSettings
    /// The members that a new group begins with; nobody for who joins later.
    var members: Configuration
    var seed: UInt64
    /// Sizes of what lies under the core.
    var segmentSizeMax = 1 << 16
    /// Whether to give out a line for each input of the core.
    var isTraced = false
}

/// What is seen of a node from outside.
struct NodeState: Equatable {
    var role: RoleReport.Role
    var term: Term
    var vote: ReplicaID?
    var leader: ReplicaID?
    var commit: LogIndex
    var lastIndex: LogIndex
    var startIndex: LogIndex
    var isReady: Bool
    var isQuiet: Bool
}

/// What a node gives out.
enum NodeOutput<Packet> {
    case send(to: UInt64, Packet, bytes: Int, promise: Promise?)
    case disk(DiskOperation)
    /// The log has other entries than before, from here to its end.
    case wrote(from: LogIndex, truncates: Bool)
    /// The log begins anew.
    case reset
    /// Entries are gone from the front.
    case startMoved
    case commit(LogIndex)
    case role(RoleReport)
    case members(Configuration)
    case answer(operation: Int, OperationAnswer)
    case changeEnded(ChangeRefusal?)
    /// Something that the messages behind it say.
    case promise(Promise)
    /// A read is confirmed; its answer is the offset behind the entry.
    case readReady(operation: Int, LogIndex)
    /// A line of a trace.
    case traced(String)
}

/// What somebody relies on once a message is out.
enum Promise {
    /// Everything up to here is on this disk.
    case match(LogIndex, Term)
    /// Nobody else gets this vote.
    case vote(ReplicaID, Term)
    /// A vote would be given now.
    case preVote(ReplicaID, Term)
    /// Asks for votes, and has voted for itself.
    case candidacy(Term, isTransfer: Bool)
    /// The term is known.
    case term(Term)
}

/// Something that takes the disk time.
struct DiskOperation: Equatable {
    enum Kind: UInt8 { case log, journal, read, install, repair }

    var kind: Kind
    var number: UInt64
}

/// A batch of a client.
struct Proposal {
    var operation: Int
    /// The first record's value; each record behind has the next one.
    var value: UInt64
    var count: Int
    var bytes: Int
    /// The sequence of an idempotent producer.
    var sequence: Sequence?

    struct Sequence {
        var producer: Int64
        var first: Int32
    }
}

/// What callers of a node want.
enum NodeCommand {
    case read(operation: Int)
    case changeMembers(voters: [ReplicaID], learners: [ReplicaID])
    case transfer(to: ReplicaID)
    case campaign
    /// Removes entries up to here from the front of the log, at most.
    case retain(LogIndex)
    case nodeLost(UInt64)
    case wake
}

enum OperationAnswer: Equatable {
    case acknowledged(LogIndex, Term, offset: Int64)
    case read(LogIndex, end: Int64)
    case refused(leader: UInt64?)
    case unknown
}

enum PollAnswer {
    case records([(offset: Int64, value: UInt64)], next: Int64)
    case outOfRange(start: Int64)
}

enum Crash { case kill, powerCut }

enum DiskHarm {
    /// No room for entries, or room again.
    case full(Bool)
    /// Durable entries cannot be read any more, from the next start on.
    case damage(first: LogIndex, last: LogIndex, termsAreKnown: Bool)
    /// Nothing of it is to come any more.
    case over
    /// The process ends in the midst of the call so many storage calls from now.
    case crashAtCall(Int, Crash)
}

/// An entry as it is in a log.
struct EntryContent: Equatable {
    var term: Term
    var value: UInt64
    var count: Int
    var baseOffset: Int64
    var configuration: Configuration?

    /// A number for the entry and all before it: equal for equal logs.
    func chain(after previous: UInt64) -> UInt64 {
        var hash = Hash(previous)
        hash.combine(term.rawValue)
        hash.combine(value)
        hash.combine(UInt64(count))
        if let configuration {
            for voter in configuration.voters { hash.combine(voter) }
            hash.combine(1)
            for voter in configuration.outgoing { hash.combine(voter) }
            hash.combine(2)
            for learner in configuration.learners { hash.combine(learner) }
        }
        return hash.value
    }
}

/// Where a log begins.
struct LogStart: Equatable {
    /// The last entry that is gone.
    var index: LogIndex
    var term: Term
    var offset: Int64
}

/// Mixes numbers into one; equal in every process.
struct Hash {
    private(set) var value: UInt64

    init(_ seed: UInt64) { value = seed }

    @inline(__always)
    mutating func combine(_ number: UInt64) {
        var mixed = (value ^ number) &* 0xbf58_476d_1ce4_e5b9
        mixed ^= mixed >> 29
        value = mixed &* 0x94d0_49bb_1331_11eb &+ 0x9e37_79b9_7f4a_7c15
    }

    mutating func combine(_ id: ReplicaID) { combine(id.node << 32 | id.life) }
}
