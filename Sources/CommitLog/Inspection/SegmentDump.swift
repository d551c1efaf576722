// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Disk
public import Records

/// Shows what stands in a store, frame by frame.
public enum SegmentDump {
    /// One thing that stands in a store.
    public enum Item: Sendable, Equatable {
        /// The file's header, or what is wrong with it.
        case header(StoreHeader)
        case damagedHeader(reason: String)
        /// A sound frame; with its batch's header if it holds one.
        case frame(FrameHeader, at: UInt64, batch: BatchHeader?)
        /// Bytes that are no sound frame, up to the next one or the end.
        case flaw(reason: String, at: UInt64, byteCount: UInt64)
    }

    /// Calls `body` with each item of a store, in order.
    public static func dump(
        path: String, on fileSystem: any FileSystem, _ body: (Item) -> Void
    ) throws(LogError) {
        let file = try onDisk { () throws(FileError) in try fileSystem.open(path, .read) }
        let size = try onDisk { () throws(FileError) in try file.size() }
        let bytes = try onDisk { () throws(FileError) in
            try file.bytes(at: 0, count: StoreHeader.size)
        }
        var header: StoreHeader?
        do throws(StoreHeader.Flaw) {
            let found = try StoreHeader(checking: bytes, group: nil)
            header = found
            body(.header(found))
        } catch {
            body(.damagedHeader(reason: "\(error)"))
            if case .unsupportedVersion(let version) = error {
                throw .unsupportedFormat(path: path, version: Int(version))
            }
        }
        guard let header else { return }
        let scanner = StoreScanner(
            file, group: header.group, salt: header.salt, from: UInt64(StoreHeader.size), end: size)
        while true {
            let item = try onDisk { () throws(FileError) in try scanner.next() }
            switch item {
            case .end: return
            case .frame(let frame):
                let start = scanner.position - UInt64(frame.frameLength)
                let batch =
                    frame.kind == .batch
                    ? try batchHeader(scanner, at: start + UInt64(FrameHeader.size)) : nil
                body(.frame(frame, at: start, batch: batch))
            case .flaw(let flaw, let frame):
                let start = scanner.position
                let behind = start + UInt64(frame.map { $0.frameLength } ?? 1)
                let next = try onDisk { () throws(FileError) in
                    try scanner.seekFrame(from: behind)
                }
                let end = next == nil ? size : scanner.position
                body(.flaw(reason: "\(flaw)", at: start, byteCount: end - start))
                if next == nil { return }
            }
        }
    }

    private static func batchHeader(
        _ scanner: StoreScanner, at position: UInt64
    ) throws(LogError) -> BatchHeader? {
        try onDisk { () throws(FileError) in
            try unsafe scanner.withBytes(at: position, count: BatchHeader.size) {
                unsafe BatchHeader(reading: $0)
            }
        }
    }
}
