// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import RaftCore
public import Records

/// What the journal holds of one group.
///
/// 80 bytes, big-endian:
///
/// ```
///  at size field                            at size field
///   0   4  magic "CWHS"                     40   8  term
///   4   1  version = 1                      48   8  vote: node
///   5   1  flags: 0 voted, 1 forgotten      56   8  vote: life
///   6   2  zero                             64   8  commit hint
///   8   4  partition                        72   4  zero
///  12   4  number of records known synced   76   4  CRC32C of 0..<76
///  16   8  group: high
///  24   8  group: low
///  32   8  number of the record in its file
/// ```
///
/// The number ties a record to its place; the number of those known synced tells a torn tail from
/// damage: a bad record before it was promised to somebody.
public struct HardStateRecord: Sendable, Equatable {
    static let size = 80
    private static let magicValue: UInt32 = 0x4357_4853
    private static let versionValue: UInt8 = 1

    /// The group.
    public var group: GroupID
    /// Its term and vote.
    public var state: HardState
    /// An entry that is committed and durable here: a hint, to begin with.
    public var commit: LogIndex
    /// The group is gone from this store, and nothing is to be remembered of it.
    public var isForgotten: Bool

    /// A record with these values.
    public init(
        group: GroupID, state: HardState, commit: LogIndex = .zero, isForgotten: Bool = false
    ) {
        self.group = group
        self.state = state
        self.commit = commit
        self.isForgotten = isForgotten
    }

    /// The bytes of the record at a place of the file.
    func encoded(number: UInt64, synced: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.size)
        bytes.appendBigEndian(Self.magicValue)
        bytes.appendBigEndian(Self.versionValue)
        bytes.appendBigEndian(UInt8((state.vote == nil ? 0 : 1) | (isForgotten ? 2 : 0)))
        bytes.appendBigEndian(UInt16(0))
        bytes.appendBigEndian(group.partition)
        bytes.appendBigEndian(UInt32(clamping: synced))
        bytes.appendBigEndian(group.high)
        bytes.appendBigEndian(group.low)
        bytes.appendBigEndian(number)
        bytes.appendBigEndian(state.term.rawValue)
        bytes.appendBigEndian(state.vote?.node ?? 0)
        bytes.appendBigEndian(state.vote?.life ?? 0)
        bytes.appendBigEndian(commit.rawValue)
        bytes.appendBigEndian(UInt32(0))
        bytes.appendBigEndian(CRC32C.checksum(bytes))
        return bytes
    }

    /// What some bytes say, if they are a record at all.
    enum Reading: Equatable {
        case record(HardStateRecord, synced: UInt64)
        case unsupported(version: Int)
        case nothing
    }

    /// Reads the record of a number.
    static func read(_ bytes: ArraySlice<UInt8>, number: UInt64) -> Reading {
        guard bytes.count == size else { return .nothing }
        return unsafe bytes.withUnsafeBytes { raw in
            guard unsafe raw.bigEndian(at: 0, as: UInt32.self) == magicValue,
                unsafe raw.bigEndian(at: 76, as: UInt32.self)
                    == CRC32C.checksum(UnsafeRawBufferPointer(rebasing: raw[..<76])),
                unsafe raw.bigEndian(at: 32, as: UInt64.self) == number
            else { return .nothing }
            let version: UInt8 = unsafe raw.bigEndian(at: 4)
            guard version == versionValue else { return .unsupported(version: Int(version)) }
            let flags: UInt8 = unsafe raw.bigEndian(at: 5)
            let vote = unsafe ReplicaID(
                node: raw.bigEndian(at: 48), life: raw.bigEndian(at: 56))
            let record = unsafe HardStateRecord(
                group: GroupID(
                    high: raw.bigEndian(at: 16), low: raw.bigEndian(at: 24),
                    partition: raw.bigEndian(at: 8)),
                state: HardState(
                    term: Term(raw.bigEndian(at: 40, as: UInt64.self)),
                    vote: flags & 1 != 0 ? vote : nil),
                commit: LogIndex(raw.bigEndian(at: 64, as: UInt64.self)),
                isForgotten: flags & 2 != 0)
            return unsafe .record(
                record, synced: UInt64(raw.bigEndian(at: 12, as: UInt32.self)))
        }
    }
}
