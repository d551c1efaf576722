// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
internal import Records

/// The two files of a segment's index.
///
/// Both are derived from the store and never evidence of what it holds: each entry carries a
/// checksum bound to the store's salt and to its own ordinal, so an entry of another file, in
/// another place or of zeros is no entry.
///
/// ```
/// .index, 16 bytes an entry                .timeindex, 20 bytes an entry
///   0  4  offset less base offset            0  8  highest timestamp before that frame (ms)
///   4  4  index less base index              8  4  offset less base offset
///   8  4  position in the store             12  4  header CRC32C of that frame
///  12  4  CRC32C of salt, ordinal, 0..<12   16  4  CRC32C of salt, ordinal, 0..<16
/// ```
///
/// Entry n of one file belongs to entry n of the other. Neither file is synced, so a power cut may
/// leave entries of frames that were lost and replaced: an entry counts only if the frame that it
/// names stands where it says, and for a time only if it is that very frame, by its checksum.
enum IndexFile {
    static let offsetEntrySize = 16
    static let timeEntrySize = 20

    /// The checksum of an entry's bytes before its checksum.
    private static func checksum(_ entry: ArraySlice<UInt8>, salt: UInt64, ordinal: Int) -> UInt32 {
        var scope: [UInt8] = []
        scope.reserveCapacity(32)
        scope.appendBigEndian(salt)
        scope.appendBigEndian(UInt64(ordinal))
        scope.append(contentsOf: entry)
        return CRC32C.checksum(scope)
    }

    /// The bytes of `.index` for some entries.
    static func encodeOffsets(_ entries: [IndexEntry], firstOrdinal: Int, salt: UInt64) -> [UInt8] {
        encode(entries, firstOrdinal: firstOrdinal, salt: salt) { entry, bytes in
            bytes.appendBigEndian(entry.offsetDelta)
            bytes.appendBigEndian(entry.indexDelta)
            bytes.appendBigEndian(entry.position)
        }
    }

    /// The bytes of `.timeindex` for some entries.
    static func encodeTimes(_ entries: [IndexEntry], firstOrdinal: Int, salt: UInt64) -> [UInt8] {
        encode(entries, firstOrdinal: firstOrdinal, salt: salt) { entry, bytes in
            bytes.appendBigEndian(entry.maxTimestampBefore)
            bytes.appendBigEndian(entry.offsetDelta)
            bytes.appendBigEndian(entry.frameChecksum)
        }
    }

    private static func encode(
        _ entries: [IndexEntry], firstOrdinal: Int, salt: UInt64,
        _ body: (IndexEntry, inout [UInt8]) -> Void
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entries.count * timeEntrySize)
        for (step, entry) in entries.enumerated() {
            let start = bytes.count
            body(entry, &bytes)
            bytes.appendBigEndian(
                checksum(bytes[start...], salt: salt, ordinal: firstOrdinal + step))
        }
        return bytes
    }

    /// The bytes of an entry if its checksum is right.
    static func check(_ entry: ArraySlice<UInt8>, salt: UInt64, ordinal: Int) -> Bool {
        guard entry.count == offsetEntrySize || entry.count == timeEntrySize else { return false }
        let scope = entry.dropLast(4)
        let stated = entry.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return checksum(scope, salt: salt, ordinal: ordinal) == stated
    }

    /// An integer of an entry.
    static func integer<Value: FixedWidthInteger>(
        _ entry: ArraySlice<UInt8>, at offset: Int, as type: Value.Type = Value.self
    ) -> Value {
        let start = entry.startIndex + offset
        return entry[start..<(start + MemoryLayout<Value>.size)].reduce(0) {
            $0 << 8 | Value(truncatingIfNeeded: $1)
        }
    }
}

/// Looks up entries of a closed segment in a file, a few reads a look-up and nothing kept.
struct IndexReader {
    let file: any File
    let salt: UInt64
    let entrySize: Int
    let count: Int

    init(_ file: any File, salt: UInt64, entrySize: Int) throws(FileError) {
        self.file = file
        self.salt = salt
        self.entrySize = entrySize
        count = Int(clamping: try file.size() / UInt64(entrySize))
    }

    /// Entry `ordinal`, or `nil` if it is damaged.
    func entry(_ ordinal: Int) throws(FileError) -> ArraySlice<UInt8>? {
        let bytes = try file.bytes(
            at: UInt64(ordinal * entrySize), count: entrySize)
        guard IndexFile.check(bytes[...], salt: salt, ordinal: ordinal) else { return nil }
        return bytes[...]
    }

    /// The ordinal of the last entry of the leading run that satisfies a predicate; -1 if the first
    /// does not; `nil` if a damaged entry was met.
    func last(
        where isInRun: (ArraySlice<UInt8>) -> Bool
    ) throws(FileError) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            guard let entry = try entry(middle) else { return nil }
            if isInRun(entry) { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }
}
