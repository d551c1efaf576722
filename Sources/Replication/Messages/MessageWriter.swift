// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CommitLog
internal import RaftCore
internal import Records

/// Puts the fields of messages one behind the other.
struct MessageWriter {
    private(set) var bytes: [UInt8] = []

    mutating func add(byte: UInt8) { bytes.append(byte) }

    mutating func add(word: UInt64) { bytes.appendBigEndian(word) }

    mutating func add(checksum: UInt32) { bytes.appendBigEndian(checksum) }

    mutating func add(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func add(signed value: Int64) { add(Varint.zigZag(value)) }

    mutating func add(count: Int) { add(UInt64(count)) }

    mutating func add(_ index: LogIndex) { add(index.rawValue) }

    mutating func add(_ term: Term) { add(term.rawValue) }

    mutating func add(_ id: ReplicaID) {
        add(id.node)
        add(id.life)
    }

    mutating func add(_ flags: Bool...) {
        var byte: UInt8 = 0
        for (place, flag) in flags.enumerated() where flag { byte |= 1 << UInt8(place) }
        bytes.append(byte)
    }

    /// Bytes with their number before them.
    mutating func add(block: [UInt8]) {
        add(count: block.count)
        bytes += block
    }

    mutating func add(_ entries: [LogEntry]) {
        bytes.reserveCapacity(entries.reduce(bytes.count + 16) { $0 + $1.size })
        add(count: entries.count)
        for entry in entries {
            add(entry.term)
            add(byte: entry.kind.rawValue)
            add(signed: entry.baseOffset.rawValue)
            add(count: entry.recordCount)
            add(signed: entry.maxTimestamp.rawValue)
            add(checksum: entry.payloadChecksum)
            add(count: entry.payload.count)
            unsafe entry.payload.withBytes { unsafe bytes.append(contentsOf: $0) }
        }
    }
}
