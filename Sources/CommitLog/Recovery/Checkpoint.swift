// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
internal import Records

/// What a log has promised, as of one sync: up to where it need not be scanned, and where it begins.
///
/// The file `checkpoint` has two slots of 512 bytes, written in turn, so that a torn write leaves
/// the other one. A replica's log has two more, for the checkpoints that say less than the one
/// before, because entries are about to be taken back: so they never lie in the place of one that a
/// sync under way is writing, nor of the last one of their kind. A slot, big-endian:
///
/// ```
///  at size field                            at size field
///   0   4  magic "CWCP"                     48   8  recovery segment's base offset
///   4   4  version = 1                      56   8  recovery position in its store
///   8   8  sequence                         64   8  next index at the recovery position
///  16   8  group hash                       72   8  next offset at the recovery position
///  24   8  flags: 0 clean, 1 producers,     80   8  highest timestamp of the segment up to there
///          2 lineage                        88   4  checksum of the lineage
///  32   8  term                             92  …   zero
///  40   8  log start offset                508   4  CRC32C of 0..<508
/// ```
///
/// Flag 0 says that the log was closed in order, flag 1 that it knew idempotent producers then, so
/// that their snapshot has to be there; flag 2 that the file `lineage` with that checksum says what
/// the lineage was.
///
/// Everything before the recovery position was synced and checked when the slot was written.
struct Checkpoint: Sendable, Equatable {
    static let slotSize = 512
    private static let magicValue: UInt32 = 0x4357_4350
    private static let versionValue: UInt32 = 1

    var sequence: UInt64
    var group: UInt64
    var isClean: Bool
    var hasProducers = false
    /// The checksum of the ``Lineage`` as of the recovery position, if there is a file of it.
    var lineageChecksum: UInt32?
    var term: Term
    var logStartOffset: Offset
    var segment: Offset
    var position: UInt64
    var nextIndex: LogIndex
    var nextOffset: Offset
    var maxTimestamp: Timestamp

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.slotSize)
        bytes.appendBigEndian(Self.magicValue)
        bytes.appendBigEndian(Self.versionValue)
        bytes.appendBigEndian(sequence)
        bytes.appendBigEndian(group)
        let flags = (isClean ? 1 : 0) | (hasProducers ? 2 : 0) | (lineageChecksum != nil ? 4 : 0)
        bytes.appendBigEndian(UInt64(flags))
        bytes.appendBigEndian(term.rawValue)
        bytes.appendBigEndian(logStartOffset.rawValue)
        bytes.appendBigEndian(segment.rawValue)
        bytes.appendBigEndian(position)
        bytes.appendBigEndian(nextIndex.rawValue)
        bytes.appendBigEndian(nextOffset.rawValue)
        bytes.appendBigEndian(maxTimestamp.rawValue)
        bytes.appendBigEndian(lineageChecksum ?? 0)
        bytes.append(contentsOf: [UInt8](repeating: 0, count: 508 - bytes.count))
        bytes.appendBigEndian(CRC32C.checksum(bytes))
        return bytes
    }

    /// Where the slot of a sequence number lies in the file.
    static func slotPosition(_ sequence: UInt64) -> UInt64 { (sequence % 2) * UInt64(slotSize) }

    /// Where the slot of the n-th checkpoint lies that says less than the one before.
    static func lowerSlotPosition(_ count: UInt64) -> UInt64 {
        (2 + count % 2) * UInt64(slotSize)
    }

    /// The bytes of a file with all slots, and of one without those of a replica's log.
    static let fileSize = 4 * slotSize
    static let shortFileSize = 2 * slotSize

    /// What the file holds.
    enum Content {
        case none
        case checkpoint(Checkpoint)
        /// There is a file and no slot in it is sound.
        case damaged
        case unsupported(version: Int)
    }

    /// Reads the newer sound slot.
    static func read(_ bytes: [UInt8], group: UInt64) -> Content {
        var newest: Checkpoint?
        var unsupported: Int?
        for slot in 0..<4 {
            let start = slot * slotSize
            guard bytes.count >= start + slotSize else { continue }
            let slice = Array(bytes[start..<(start + slotSize)])
            unsafe slice.withUnsafeBytes { raw in
                guard unsafe raw.bigEndian(at: 0, as: UInt32.self) == magicValue,
                    unsafe raw.bigEndian(at: 508, as: UInt32.self)
                        == CRC32C.checksum(UnsafeRawBufferPointer(rebasing: raw[..<508]))
                else { return }
                let version: UInt32 = unsafe raw.bigEndian(at: 4)
                guard version <= versionValue else {
                    unsupported = Int(version)
                    return
                }
                let found = unsafe Checkpoint(reading: raw)
                guard found.group == group else { return }
                if found.sequence > newest?.sequence ?? 0 { newest = found }
            }
        }
        if let unsupported { return .unsupported(version: unsupported) }
        return newest.map { .checkpoint($0) } ?? .damaged
    }

    /// The group that a sound slot names.
    static func group(_ bytes: [UInt8]) -> UInt64? {
        for slot in 0..<4 {
            let start = slot * slotSize
            guard bytes.count >= start + slotSize else { continue }
            let slice = Array(bytes[start..<(start + slotSize)])
            let group = unsafe slice.withUnsafeBytes {
                unsafe $0.bigEndian(at: 16, as: UInt64.self)
            }
            if case .checkpoint = read(bytes, group: group) { return group }
        }
        return nil
    }

    private init(reading raw: UnsafeRawBufferPointer) {
        sequence = unsafe raw.bigEndian(at: 8)
        group = unsafe raw.bigEndian(at: 16)
        isClean = unsafe raw.bigEndian(at: 24, as: UInt64.self) & 1 != 0
        hasProducers = unsafe raw.bigEndian(at: 24, as: UInt64.self) & 2 != 0
        term = unsafe Term(raw.bigEndian(at: 32, as: UInt64.self))
        logStartOffset = unsafe Offset(raw.bigEndian(at: 40, as: Int64.self))
        segment = unsafe Offset(raw.bigEndian(at: 48, as: Int64.self))
        position = unsafe raw.bigEndian(at: 56)
        nextIndex = unsafe LogIndex(raw.bigEndian(at: 64, as: UInt64.self))
        nextOffset = unsafe Offset(raw.bigEndian(at: 72, as: Int64.self))
        maxTimestamp = unsafe Timestamp(rawValue: raw.bigEndian(at: 80))
        if unsafe raw.bigEndian(at: 24, as: UInt64.self) & 4 != 0 {
            lineageChecksum = unsafe raw.bigEndian(at: 88)
        }
    }

    init(
        sequence: UInt64, group: UInt64, isClean: Bool, hasProducers: Bool = false,
        lineageChecksum: UInt32? = nil, term: Term, logStartOffset: Offset,
        segment: Offset, position: UInt64, nextIndex: LogIndex, nextOffset: Offset,
        maxTimestamp: Timestamp
    ) {
        self.sequence = sequence
        self.group = group
        self.isClean = isClean
        self.hasProducers = hasProducers
        self.lineageChecksum = lineageChecksum
        self.term = term
        self.logStartOffset = logStartOffset
        self.segment = segment
        self.position = position
        self.nextIndex = nextIndex
        self.nextOffset = nextOffset
        self.maxTimestamp = maxTimestamp
    }
}
