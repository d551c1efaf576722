// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import Disk
internal import Records
internal import SimulatedDisk

/// What a server does beside appending and reading.
extension LogHistory {
    /// Syncs the whole file system, as a round over many logs does before it syncs each file.
    ///
    /// How that ends is not looked at: only a file's own sync tells whether its bytes were lost. The
    /// simulator's disk reports a loss once, so none is made to happen here.
    mutating func syncFileSystem() {
        guard disk.faults.sync == .never else { return }
        do throws(FileError) {
            try files.syncAll(at: "/")
            note("sync the file system")
        } catch {
            note("sync the file system: \(error)")
        }
        count(\.fileSystemSyncs)
    }

    /// Has a closed segment's index made anew, perhaps after a sector of it has rotted.
    ///
    /// Readers look past what is wrong in an index, before and after.
    mutating func rebuildIndex() throws(Violation) {
        guard let log, disk.faults == FaultPlan() else { return }
        let suffix = ".store"
        let bases = answer { () throws(LogError) in
            do throws(FileError) {
                return try disk.list(Self.directory).filter { $0.hasSuffix(suffix) }
                    .compactMap { Int64($0.dropLast(suffix.count)) }
            } catch {
                throw LogError.file(error)
            }
        }
        // The last one is not closed.
        guard case .success(let all) = bases, all.count > 1 else { return }
        let base = all[draw(0...(all.count - 2))]
        if chance(60) { harmIndex(of: base) }
        switch answer({ () throws(LogError) in try log.rebuildIndex(of: Offset(base)) }) {
        case .success:
            note("rebuild the index of \(base)")
            count(\.rebuiltIndexes)
        case .failure(let error):
            note("rebuild the index of \(base): \(error)")
            try judge(error, of: log)
        }
    }

    private mutating func harmIndex(of base: Int64) {
        let digits = String(base)
        let name = String(repeating: "0", count: 20 - digits.count) + digits
        let path = Self.directory + "/" + name + (chance(50) ? ".index" : ".timeindex")
        guard let bytes = disk.contents(path), !bytes.isEmpty else { return }
        if chance(50) {
            disk.flipBit(path, at: draw(0...(bytes.count - 1)), bit: draw(0...7))
        } else {
            disk.truncate(path, to: draw(0...(bytes.count - 1)))
        }
        note("\(path) is harmed")
    }
}
