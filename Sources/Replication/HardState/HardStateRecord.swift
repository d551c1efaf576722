// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import RaftCore
public import Records

/// What the journal holds of one group.
///
/// 128 bytes, so that no record crosses the border of a sector of 512; big-endian:
///
/// ```
///  at size field                            at size field
///   0   4  magic "CWHS"                     56   8  term
///   4   1  version = 1                      64   8  vote: node
///   5   1  flags: 0 voted, 1 forgotten,     72   8  vote: life
///          2 head of the file               80   8  commit hint
///   6   2  zero                             88  32  zero
///   8   4  partition                       120   4  CRC32C of 0..<120
///  12   4  zero                            124   3  zero
///  16   8  group: high                     127   1  0xc5
///  24   8  group: low
///  32   8  number of the record in its file
///  40   8  number of records known to be synced
///  48   8  life of the replica
/// ```
///
/// The number ties a record to its place. A sector is written as a whole or not at all, so what a power
/// cut leaves of an unsynced record is all of it or zeros; what the end of a process leaves of a write
/// that failed half way ends in zeros. Both lack the last byte: such a place is empty, and anything
/// else that is no record is damage. An empty place before records that were known to be synced is
/// damage, too.
public struct HardStateRecord: Sendable, Equatable {
    static let size = 128
    private static let magicValue: UInt32 = 0x4357_4853
    private static let versionValue: UInt8 = 1
    private static let endValue: UInt8 = 0xc5
    private static let checksumPlace = 120

    /// The group.
    public var group: GroupID
    /// What tells the replica from others that the store had of the group (``ReplicaID/life``).
    public var life: UInt64
    /// Its term and vote.
    public var state: HardState
    /// An entry that is committed and durable here: a hint, to begin with.
    public var commit: LogIndex
    /// The group is gone from this store, and nothing is to be remembered of it.
    public var isForgotten: Bool
    /// It says nothing but that the file was whole, up to the number of records known to be synced.
    var isHead = false

    /// A record with these values.
    public init(
        group: GroupID, life: UInt64, state: HardState, commit: LogIndex = .zero,
        isForgotten: Bool = false
    ) {
        self.group = group
        self.life = life
        self.state = state
        self.commit = commit
        self.isForgotten = isForgotten
    }

    /// What a file begins with.
    static var head: HardStateRecord {
        var head = HardStateRecord(
            group: GroupID(high: 0, low: 0, partition: 0), life: 0, state: HardState())
        head.isHead = true
        return head
    }

    private var flags: UInt8 {
        (state.vote == nil ? 0 : 1) | (isForgotten ? 2 : 0) | (isHead ? 4 : 0)
    }

    /// Adds the bytes of the record that has a number in its file.
    func append(to bytes: inout [UInt8], number: UInt64, synced: UInt64) {
        let start = bytes.count
        bytes.appendBigEndian(Self.magicValue)
        bytes.appendBigEndian(Self.versionValue)
        bytes.appendBigEndian(flags)
        bytes.appendBigEndian(UInt16(0))
        bytes.appendBigEndian(group.partition)
        bytes.appendBigEndian(UInt32(0))
        bytes.appendBigEndian(group.high)
        bytes.appendBigEndian(group.low)
        bytes.appendBigEndian(number)
        bytes.appendBigEndian(synced)
        bytes.appendBigEndian(life)
        bytes.appendBigEndian(state.term.rawValue)
        bytes.appendBigEndian(state.vote?.node ?? 0)
        bytes.appendBigEndian(state.vote?.life ?? 0)
        bytes.appendBigEndian(commit.rawValue)
        bytes.append(
            contentsOf: repeatElement(0, count: start + Self.checksumPlace - bytes.count))
        let checksum = unsafe bytes.withUnsafeBytes {
            unsafe CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[start...]))
        }
        bytes.appendBigEndian(checksum)
        bytes.appendBigEndian(UInt32(Self.endValue))
    }

    /// What stands at a record's place.
    enum Reading: Equatable {
        case record(HardStateRecord, synced: UInt64)
        /// Nothing was ever written here, or not to the end.
        case empty
        case damaged
        case unsupported(version: Int)
    }

    /// Reads the record of a number, in bytes that may end before it does.
    static func read(_ bytes: ArraySlice<UInt8>, number: UInt64) -> Reading {
        guard bytes.count == size else { return .empty }
        return unsafe bytes.withUnsafeBytes { raw in
            let summed = unsafe UnsafeRawBufferPointer(rebasing: raw[..<checksumPlace])
            let sum = unsafe CRC32C.checksum(summed)
            guard unsafe raw.bigEndian(at: 0, as: UInt32.self) == magicValue,
                unsafe raw.bigEndian(at: checksumPlace, as: UInt32.self) == sum
            else { return unsafe raw[size - 1] == 0 ? .empty : .damaged }
            let version: UInt8 = unsafe raw.bigEndian(at: 4)
            guard version == versionValue else { return .unsupported(version: Int(version)) }
            guard unsafe raw.bigEndian(at: 32, as: UInt64.self) == number else { return .damaged }
            let record = unsafe HardStateRecord(reading: raw)
            return unsafe .record(record, synced: raw.bigEndian(at: 40))
        }
    }

    /// The record of bytes whose checksum holds.
    private init(reading raw: UnsafeRawBufferPointer) {
        let flags: UInt8 = unsafe raw.bigEndian(at: 5)
        let vote = unsafe ReplicaID(node: raw.bigEndian(at: 64), life: raw.bigEndian(at: 72))
        unsafe self.init(
            group: GroupID(
                high: raw.bigEndian(at: 16), low: raw.bigEndian(at: 24),
                partition: raw.bigEndian(at: 8)),
            life: raw.bigEndian(at: 48),
            state: HardState(
                term: Term(raw.bigEndian(at: 56, as: UInt64.self)),
                vote: flags & 1 != 0 ? vote : nil),
            commit: LogIndex(raw.bigEndian(at: 80, as: UInt64.self)),
            isForgotten: flags & 2 != 0)
        isHead = flags & 4 != 0
    }
}
