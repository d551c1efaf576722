// SPDX-License-Identifier: Apache-2.0

internal import Disk
internal import Records

/// The stores that lie in a log's directory, with what their headers and lengths say.
struct LogSurvey {
    /// A store that was found.
    struct Store {
        var file: any File
        var header: StoreHeader
        /// The header was damaged and is put together from the first frame.
        var headerIsRebuilt: Bool
        /// The file's length.
        var fileSize: UInt64
        var path: String { file.path }
    }

    let directory: String
    let group: UInt64
    let fileSystem: any FileSystem
    var stores: [Store] = []
    var strayNames: [String] = []
    var damages: [Damage] = []
    /// Stores that were being made when the log stopped: too short for a header.
    var unfinished: [Offset] = []
    /// Index files without a store, and files that were to take the place of others.
    var orphans: [String] = []
    var checkpoint = Checkpoint.Content.none

    /// Looks at all files, reads the headers of all stores and the checkpoint; changes nothing.
    init(
        directory: String, group: UInt64, fileSystem: any FileSystem
    ) throws(LogError) {
        self.directory = directory
        self.group = group
        self.fileSystem = fileSystem
        let names = try onDisk { () throws(FileError) in try fileSystem.list(directory) }
        var bases: [Offset] = []
        for name in names {
            if let base = SegmentName.base(of: name, suffix: SegmentName.storeSuffix) {
                bases.append(base)
            } else if SegmentName.base(of: name, suffix: SegmentName.indexSuffix) == nil,
                SegmentName.base(of: name, suffix: SegmentName.timeIndexSuffix) == nil,
                name != SegmentName.checkpoint, name != ProducerSnapshot.name,
                name != ProducerSnapshot.newName, name != LineageRecovery.name,
                name != LineageRecovery.newName, name != SegmentName.rewritten,
                name != SegmentName.newCheckpoint
            {
                strayNames.append(name)
            }
        }
        for base in bases { try examine(base) }
        findOrphans(names, bases: bases)
        orphans += names.filter { $0 == SegmentName.rewritten || $0 == SegmentName.newCheckpoint }
        if names.contains(SegmentName.checkpoint) { try readCheckpoint() }
    }

    private mutating func findOrphans(_ names: [String], bases: [Offset]) {
        // Names and bases are sorted alike, so the membership test is a search.
        func hasStore(_ base: Offset) -> Bool {
            var low = 0
            var high = bases.count
            while low < high {
                let middle = (low + high) / 2
                if bases[middle] < base { low = middle + 1 } else { high = middle }
            }
            return low < bases.count && bases[low] == base
        }
        for name in names {
            for suffix in [SegmentName.indexSuffix, SegmentName.timeIndexSuffix] {
                if let base = SegmentName.base(of: name, suffix: suffix), !hasStore(base) {
                    orphans.append(name)
                }
            }
        }
    }
}

extension LogSurvey {
    private mutating func readCheckpoint() throws(LogError) {
        let path = directory + "/" + SegmentName.checkpoint
        let bytes = try onDisk { () throws(FileError) in
            try fileSystem.open(path, .read).bytes(at: 0, count: Checkpoint.fileSize)
        }
        checkpoint = Checkpoint.read(bytes, group: group)
        if case .unsupported(let version) = checkpoint {
            throw .unsupportedFormat(path: path, version: version)
        }
    }

    private mutating func examine(_ base: Offset) throws(LogError) {
        let path = directory + "/" + SegmentName.store(base)
        let status = try onDisk { () throws(FileError) in try fileSystem.status(of: path) }
        guard let status, status.kind == .file else {
            throw .unusable(path: path, reason: "is not a regular file")
        }
        let file = try onDisk { () throws(FileError) in try fileSystem.open(path, .readWrite) }
        let bytes = try onDisk { () throws(FileError) in
            try file.bytes(at: 0, count: StoreHeader.size)
        }
        do throws(StoreHeader.Flaw) {
            let header = try StoreHeader(checking: bytes, group: group)
            guard header.baseOffset == base else {
                damage(path, "the file holds the segment of \(header.baseOffset.rawValue)")
                return
            }
            stores.append(
                Store(file: file, header: header, headerIsRebuilt: false, fileSize: status.size))
        } catch {
            try handle(error, base: base, file: file, size: status.size)
        }
    }

    private mutating func handle(
        _ flaw: StoreHeader.Flaw, base: Offset, file: any File, size: UInt64
    ) throws(LogError) {
        switch flaw {
        case .unsupportedVersion(let version):
            throw .unsupportedFormat(path: file.path, version: Int(version))
        case .cutShort:
            unfinished.append(base)
        case .foreign:
            damage(file.path, "the file belongs to another log")
        case .notAStore, .checksum:
            // The frames vouch for themselves: the first one knows the salt and the index.
            let scanner = StoreScanner(
                file, group: group, salt: nil, from: UInt64(StoreHeader.size), end: size)
            let first = try onDisk { () throws(FileError) in
                try scanner.seekFrame(from: UInt64(StoreHeader.size))
            }
            guard let first, first.baseOffset >= base else {
                unfinished.append(base)
                return
            }
            let header = StoreHeader(
                group: group, salt: first.salt, baseOffset: base, baseIndex: first.firstIndex,
                previous: nil, created: .none)
            // Whether that is damage, the scan will tell: a power cut may take the header of a store
            // of which nothing was synced.
            stores.append(
                Store(file: file, header: header, headerIsRebuilt: true, fileSize: size))
        }
    }

    private mutating func damage(_ path: String, _ reason: String) {
        damages.append(Damage(offsets: 0..<0, path: path, position: 0, reason: reason))
    }
}
