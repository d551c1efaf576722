// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Records

/// What a log's file `producers` holds: the idempotent producers as of one frame, so that a start
/// need not look at all batches again.
///
/// Big-endian:
///
/// ```
///  at size field                                  then, for each producer, oldest use first
///   0   4  magic "CWPS"                           8  producer id
///   4   4  version = 1                            2  epoch
///   8   8  group hash                             8  last use, server's clock (ms)
///  16   8  base offset of the segment             1  number of batches, 1 to 5
///  24   8  position in its store                     for each batch, oldest first:
///  32   8  next index at that position            4  first sequence
///  40   8  next offset at that position           4  last sequence
///  48   4  number of producers                    8  base offset
///  52   …  producers                              4  CRC32C of all before
/// ```
///
/// Version 2, of a replica's log, has the term of the last entry, 8 bytes, before the producers: a
/// snapshot of entries that were taken back is known by it.
///
/// It is written once what it speaks of is synced, and before the checkpoint that relies on it, so it
/// is never ahead of the log unless the disk lied. It may be behind: the frames from its position on
/// are then read as well.
struct ProducerSnapshot: Sendable {
    static let name = "producers"
    static let newName = "producers.new"
    private static let magicValue: UInt32 = 0x4357_5053
    private static let headerSize = 52
    private static let producerSizeMax = 19 + ProducerWindow.batchesMax * 16
    /// The most bytes that a file of a full table has.
    static let sizeMax = headerSize + 8 + 4 + LogSettings.producersLimit * producerSizeMax

    var group: UInt64
    var segment: Offset
    var position: UInt64
    var nextIndex: LogIndex
    var nextOffset: Offset
    /// The term of the entry before ``nextIndex``; `nil` in a log that is nobody's replica.
    var lastTerm: Term?
    var table: ProducerTable

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerSize + 4 + table.count * Self.producerSizeMax)
        bytes.appendBigEndian(Self.magicValue)
        bytes.appendBigEndian(UInt32(lastTerm == nil ? 1 : 2))
        bytes.appendBigEndian(group)
        bytes.appendBigEndian(segment.rawValue)
        bytes.appendBigEndian(position)
        bytes.appendBigEndian(nextIndex.rawValue)
        bytes.appendBigEndian(nextOffset.rawValue)
        bytes.appendBigEndian(UInt32(table.count))
        if let lastTerm { bytes.appendBigEndian(lastTerm.rawValue) }
        table.visit { id, window in
            bytes.appendBigEndian(id)
            bytes.appendBigEndian(window.epoch)
            bytes.appendBigEndian(window.lastUse.rawValue)
            bytes.append(UInt8(window.count))
            for number in 0..<window.count {
                let batch = window.batch(number)
                bytes.appendBigEndian(batch.firstSequence)
                bytes.appendBigEndian(batch.lastSequence)
                bytes.appendBigEndian(batch.baseOffset.rawValue)
            }
        }
        bytes.appendBigEndian(CRC32C.checksum(bytes))
        return bytes
    }

    init(
        group: UInt64, segment: Offset, position: UInt64, nextIndex: LogIndex, nextOffset: Offset,
        lastTerm: Term? = nil, table: ProducerTable
    ) {
        self.group = group
        self.segment = segment
        self.position = position
        self.nextIndex = nextIndex
        self.nextOffset = nextOffset
        self.lastTerm = lastTerm
        self.table = table
    }

    /// The snapshot that some bytes are; `nil` if they are damaged, another log's, of another version
    /// or not possible, in all of which cases the log itself is read instead.
    init?(_ bytes: [UInt8], group: UInt64, limits: ProducerTable.Limits = .init()) {
        let decoded = unsafe bytes.withUnsafeBytes {
            unsafe Self.decode($0, group: group, limits: limits)
        }
        guard let decoded else { return nil }
        self = decoded
    }

    private static func decode(
        _ raw: UnsafeRawBufferPointer, group: UInt64, limits: ProducerTable.Limits
    ) -> Self? {
        guard raw.count >= headerSize + 4,
            unsafe raw.bigEndian(at: 0, as: UInt32.self) == magicValue,
            unsafe raw.bigEndian(at: 8, as: UInt64.self) == group,
            unsafe raw.bigEndian(at: raw.count - 4, as: UInt32.self)
                == CRC32C.checksum(UnsafeRawBufferPointer(rebasing: raw[..<(raw.count - 4)]))
        else { return nil }
        let version: UInt32 = unsafe raw.bigEndian(at: 4)
        guard version == 1 || version == 2 && raw.count >= headerSize + 8 + 4 else { return nil }
        let start = version == 1 ? headerSize : headerSize + 8
        var snapshot = unsafe ProducerSnapshot(
            group: group, segment: Offset(raw.bigEndian(at: 16, as: Int64.self)),
            position: raw.bigEndian(at: 24),
            nextIndex: LogIndex(raw.bigEndian(at: 32, as: UInt64.self)),
            nextOffset: Offset(raw.bigEndian(at: 40, as: Int64.self)),
            lastTerm: version == 1 ? nil : Term(raw.bigEndian(at: headerSize, as: UInt64.self)),
            table: ProducerTable(limits: limits))
        let producers = unsafe UnsafeRawBufferPointer(
            rebasing: raw[start..<(raw.count - 4)])
        var place = 0
        for _ in 0..<(unsafe raw.bigEndian(at: 48, as: UInt32.self)) {
            guard let length = unsafe snapshot.restore(producers, at: place) else { return nil }
            place += length
        }
        return place == producers.count ? snapshot : nil
    }

    /// Reads one producer; the length of what is said of it, or `nil` if that cannot be.
    private mutating func restore(_ raw: UnsafeRawBufferPointer, at start: Int) -> Int? {
        guard start + 19 <= raw.count else { return nil }
        let id: Int64 = unsafe raw.bigEndian(at: start)
        let epoch: Int16 = unsafe raw.bigEndian(at: start + 8)
        var window = unsafe ProducerWindow(
            epoch: epoch, lastUse: Timestamp(rawValue: raw.bigEndian(at: start + 10)))
        let count = unsafe Int(raw[start + 18])
        let length = 19 + count * 16
        guard id >= 0, epoch >= 0, (1...ProducerWindow.batchesMax).contains(count),
            start + length <= raw.count
        else { return nil }
        var previous = Offset(-1)
        for place in stride(from: start + 19, to: start + length, by: 16) {
            let batch = unsafe ProducerWindow.Batch(
                firstSequence: raw.bigEndian(at: place),
                lastSequence: raw.bigEndian(at: place + 4),
                baseOffset: Offset(raw.bigEndian(at: place + 8, as: Int64.self)))
            guard batch.firstSequence >= 0, batch.lastSequence >= 0, batch.baseOffset > previous,
                batch.baseOffset < nextOffset
            else { return nil }
            previous = batch.baseOffset
            window.add(batch, batchesMax: table.limits.batchesMax)
        }
        return table.restore(id, window) ? length : nil
    }
}
