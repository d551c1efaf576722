// SPDX-License-Identifier: Apache-2.0

internal import Disk
internal import Records

/// The segment that a log appends to.
///
/// Owned by the log.
struct ActiveSegment {
    let store: any File
    let header: StoreHeader
    /// Bytes of whole frames: where the next one goes.
    var size: UInt64
    var builder: IndexBuilder

    var baseOffset: Offset { header.baseOffset }
    /// Whether it holds no frame.
    var isEmpty: Bool { size == UInt64(StoreHeader.size) }

    /// Makes the files of a segment.
    ///
    /// Durable only once the store and its directory are synced.
    ///
    /// - Parameter head: The bytes of its first frame, written with the header.
    static func create(
        _ header: StoreHeader, head: [UInt8] = [], in directory: String,
        on fileSystem: any FileSystem
    ) throws(FileError) -> ActiveSegment {
        let path = directory + "/" + SegmentName.store(header.baseOffset)
        let store = try fileSystem.open(path, .create)
        do throws(FileError) {
            try store.write(header.encoded + head, at: 0)
        } catch {
            // A store without its header would stand in the way of the next attempt; should the
            // removal fail as well, recovery knows it for unfinished.
            do throws(FileError) { try fileSystem.remove(path) } catch _ {}
            throw error
        }
        return ActiveSegment(
            store: store, header: header, size: UInt64(StoreHeader.size + head.count),
            builder: IndexBuilder(baseOffset: header.baseOffset, baseIndex: header.baseIndex))
    }

    /// The segment as readers see it.
    func view(in directory: String, on fileSystem: any FileSystem, isClosed: Bool) -> Segment {
        Segment(
            directory: directory, fileSystem: fileSystem, store: store, header: header, size: size,
            maxTimestamp: builder.maxTimestampOrNone,
            sparseIndex: isClosed ? nil : builder.index.view)
    }
}
