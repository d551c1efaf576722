// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Records

/// The header of a store.
///
/// Its first 96 bytes, big-endian:
///
/// ```
///  at size field                            at size field
///   0   8  magic "CWSTORE1"                 48   8  previous segment's base offset, or -1
///   8   4  version = 1                      56   8  previous segment's store size
///  12   4  flags = 0                        64   8  previous segment's max timestamp (ms)
///  16   8  group hash                       72   8  time of creation (ms)
///  24   8  salt                             80  12  zero
///  32   8  base offset                      92   4  CRC32C of 0..<92
///  40   8  base index
/// ```
///
/// Each store vouches for the one before it: a file that is missing, cut short, or in another
/// one's place shows without reading it.
public struct StoreHeader: Sendable, Equatable {
    /// The header's length in bytes: where the first frame begins.
    public static let size = 96
    static let magicValue: UInt64 = 0x4357_5354_4f52_4531
    /// The version that this code writes, and the highest it reads.
    public static let versionValue: UInt32 = 1

    public var group: UInt64
    public var salt: UInt64
    public var baseOffset: Offset
    public var baseIndex: LogIndex
    public var previous: Previous?
    public var created: Timestamp

    /// What a store knows of the one before it.
    public struct Previous: Sendable, Equatable {
        public var baseOffset: Offset
        public var size: UInt64
        public var maxTimestamp: Timestamp
    }

    /// Why a store's header cannot be used.
    public enum Flaw: Error, Sendable, Equatable {
        case cutShort
        case notAStore
        case unsupportedVersion(UInt32)
        case checksum
        /// The store belongs to another log.
        case foreign
    }

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.size)
        bytes.appendBigEndian(Self.magicValue)
        bytes.appendBigEndian(Self.versionValue)
        bytes.appendBigEndian(UInt32(0))
        bytes.appendBigEndian(group)
        bytes.appendBigEndian(salt)
        bytes.appendBigEndian(baseOffset.rawValue)
        bytes.appendBigEndian(baseIndex.rawValue)
        bytes.appendBigEndian(previous?.baseOffset.rawValue ?? -1)
        bytes.appendBigEndian(previous?.size ?? 0)
        bytes.appendBigEndian(previous?.maxTimestamp.rawValue ?? -1)
        bytes.appendBigEndian(created.rawValue)
        bytes.append(contentsOf: [UInt8](repeating: 0, count: 12))
        bytes.appendBigEndian(CRC32C.checksum(bytes))
        return bytes
    }

    init(
        group: UInt64, salt: UInt64, baseOffset: Offset, baseIndex: LogIndex, previous: Previous?,
        created: Timestamp
    ) {
        self.group = group
        self.salt = salt
        self.baseOffset = baseOffset
        self.baseIndex = baseIndex
        self.previous = previous
        self.created = created
    }

    /// Reads and checks a header.
    ///
    /// - Parameters:
    ///   - bytes: The file's first bytes.
    ///   - group: The log's group hash; `nil` to accept any.
    public init(checking bytes: UnsafeRawBufferPointer, group: UInt64?) throws(Flaw) {
        guard bytes.count >= Self.size else { throw .cutShort }
        guard unsafe bytes.bigEndian(at: 0, as: UInt64.self) == Self.magicValue else {
            throw .notAStore
        }
        // The version comes before the checksum, whose place a later version may move.
        let version: UInt32 = unsafe bytes.bigEndian(at: 8)
        let stated: UInt32 = unsafe bytes.bigEndian(at: 92)
        let isSound =
            unsafe CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<92])) == stated
        guard version <= Self.versionValue else {
            throw isSound ? .unsupportedVersion(version) : .checksum
        }
        guard isSound else { throw .checksum }
        self.group = unsafe bytes.bigEndian(at: 16)
        salt = unsafe bytes.bigEndian(at: 24)
        baseOffset = unsafe Offset(bytes.bigEndian(at: 32, as: Int64.self))
        baseIndex = unsafe LogIndex(bytes.bigEndian(at: 40, as: UInt64.self))
        let previousBase = unsafe Offset(bytes.bigEndian(at: 48, as: Int64.self))
        if previousBase >= .zero {
            previous = unsafe Previous(
                baseOffset: previousBase, size: bytes.bigEndian(at: 56),
                maxTimestamp: Timestamp(rawValue: bytes.bigEndian(at: 64)))
        }
        created = unsafe Timestamp(rawValue: bytes.bigEndian(at: 72))
        guard group == nil || group == self.group else { throw .foreign }
    }

    /// Reads and checks a header that was copied out of a file.
    init(checking bytes: [UInt8], group: UInt64?) throws(Flaw) {
        let result = unsafe bytes.withUnsafeBytes { buffer -> Result<StoreHeader, Flaw> in
            do throws(Flaw) {
                return try unsafe .success(StoreHeader(checking: buffer, group: group))
            } catch {
                return .failure(error)
            }
        }
        self = try result.get()
    }
}
