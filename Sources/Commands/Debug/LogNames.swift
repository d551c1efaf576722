// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
internal import CommitLog
internal import Disk
internal import PosixDisk
internal import Records

/// What the logs of a data directory are called: folders have ids for names, people know topics.
///
/// Reads the log of what topics there are as it lies on the disk and changes nothing. What cannot be
/// read of it has no name, which is no failure: the log itself is judged elsewhere.
struct LogNames {
    private var topics: [String: String] = [:]

    /// The names of the topics that the stores in `folder` tell of; none where there is no folder.
    init(metadata folder: String?, on disk: PosixFileSystem) {
        guard let folder else { return }
        do {
            for name in try disk.list(folder).sorted() where name.hasSuffix(".store") {
                try read("\(folder)/\(name)", disk)
            }
        } catch {
            // Names that were found so far help all the same.
        }
    }

    /// `orders-0` for the folder of a partition, or the folder's own name.
    func name(of folder: String) -> String {
        let last = folder.split(separator: "/").last.map(String.init) ?? folder
        guard let dash = last.lastIndex(of: "-"), let topic = topics[String(last[..<dash])] else {
            return last
        }
        return topic + last[dash...]
    }

    private mutating func read(_ path: String, _ disk: PosixFileSystem) throws {
        var places: [(position: UInt64, size: Int)] = []
        try SegmentDump.dump(path: path, on: disk) { item in
            guard case .frame(let frame, let position, _?) = item else { return }
            places.append((position + UInt64(FrameHeader.size), frame.payloadLength))
        }
        let file = try disk.open(path, .read)
        for place in places {
            try file.bytes(at: place.position, count: place.size).withUnsafeBytes { batch in
                try note(batch)
            }
        }
    }

    private mutating func note(_ batch: UnsafeRawBufferPointer) throws {
        let header = BatchHeader(reading: batch)
        let records = RecordBatch.records(of: batch)
        var cursor = RecordCursor(records)
        while let view = try cursor.next() {
            let value = Record(view, in: records, header: header).value ?? []
            if case .topicCreated(let id, let name, _, _) = ClusterEvent(value) {
                topics[id.text] = name
            }
        }
    }
}
