// SPDX-License-Identifier: Apache-2.0

internal import Disk
public import Records

extension Log {
    /// Makes the index files of a closed segment anew, from its store.
    ///
    /// Readers that met a damaged or missing index asked for it. Does nothing for a segment that is
    /// gone.
    public func rebuildIndex(of baseOffset: Offset) throws(LogError) {
        guard state == .open,
            let segment = closed.first(where: { $0.baseOffset == baseOffset })
        else { return }
        try onDisk { () throws(FileError) in
            var builder = IndexBuilder(
                baseOffset: baseOffset, baseIndex: segment.header.baseIndex)
            let scanner = StoreScanner(
                segment.store, group: group, salt: segment.header.salt,
                from: UInt64(StoreHeader.size), end: segment.size)
            while case .frame(let frame) = try scanner.next(checkingPayloads: false) {
                builder.note(
                    frame, at: scanner.position - UInt64(frame.frameLength),
                    interval: settings.indexInterval)
            }
            try builder.save(in: directory, of: segment.header.salt, on: fileSystem)
        }
    }
}
