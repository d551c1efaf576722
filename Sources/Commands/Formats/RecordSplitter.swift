// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Cuts a stream of bytes at a delimiter, without looking at any byte twice.
struct RecordSplitter {
    private let delimiter: [UInt8]
    private var buffer: [UInt8] = []
    /// Where the piece begins that comes next.
    private var start = 0
    /// Bytes before this one begin no delimiter.
    private var scanned = 0

    /// A splitter at a delimiter of one byte or more.
    init(delimiter: [UInt8]) {
        precondition(!delimiter.isEmpty, "a delimiter has a byte at least")
        self.delimiter = delimiter
    }

    /// Bytes that wait for their delimiter.
    var pendingCount: Int { buffer.count - start }

    /// Adds bytes at the end.
    mutating func append(_ bytes: [UInt8]) {
        if start == buffer.count {
            buffer = bytes
        } else {
            buffer.removeSubrange(..<start)
            buffer += bytes
        }
        scanned -= start
        start = 0
        scanned = max(0, scanned)
    }

    /// The next piece without its delimiter; `nil` when more bytes are needed.
    mutating func next() -> [UInt8]? {
        guard let end = findDelimiter() else { return nil }
        let piece = [UInt8](buffer[start..<end])
        start = end + delimiter.count
        scanned = start
        return piece
    }

    /// What stands behind the last delimiter, at the end of all bytes; `nil` if nothing does.
    mutating func takeRest() -> [UInt8]? {
        guard start < buffer.count else { return nil }
        defer {
            buffer = []
            start = 0
            scanned = 0
        }
        return [UInt8](buffer[start...])
    }

    private mutating func findDelimiter() -> Int? {
        let from = scanned
        let delimiter = delimiter
        let (found, next) = buffer.withUnsafeBytes { bytes -> (Int?, Int) in
            var position = from
            while position + delimiter.count <= bytes.count, let base = bytes.baseAddress {
                let room = bytes.count - position - delimiter.count + 1
                guard let hit = memchr(base + position, Int32(delimiter[0]), room) else {
                    return (nil, position + room)
                }
                position = base.distance(to: UnsafeRawPointer(hit))
                let isWhole = bytes[position...].starts(with: delimiter)
                if isWhole { return (position, position) }
                position += 1
            }
            return (nil, position)
        }
        scanned = next
        return found
    }
}
