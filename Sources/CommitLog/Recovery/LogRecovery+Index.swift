// SPDX-License-Identifier: Apache-2.0

internal import Disk
internal import Records

/// The indexes of the segments that recovery scanned.
extension LogRecovery {
    /// A builder that knows the frames of a store before the place where its scan begins.
    func makeBuilder(
        _ store: LogSurvey.Store, from: UInt64
    ) throws(LogError) -> IndexBuilder {
        guard from > UInt64(StoreHeader.size) else {
            return IndexBuilder(
                baseOffset: store.header.baseOffset, baseIndex: store.header.baseIndex)
        }
        return try indexOfPrefix(store, end: from)
    }

    /// The index of the part of the first scanned segment that is not scanned.
    private func indexOfPrefix(
        _ store: LogSurvey.Store, end: UInt64
    ) throws(LogError) -> IndexBuilder {
        try onDisk { () throws(FileError) in
            var builder = try IndexBuilder.load(
                header: store.header, of: store.file, end: end, in: directory, on: fileSystem)
            let known = builder.index.count
            let from =
                known == 0
                ? UInt64(StoreHeader.size) : UInt64(builder.index[known - 1].position)
            if end - from > 1 << 20 || known == 0 {
                let scanner = StoreScanner(
                    store.file, group: survey.group, salt: store.header.salt, from: from, end: end)
                while case .frame(let frame) = try scanner.next(checkingPayloads: false) {
                    let position = scanner.position - UInt64(frame.frameLength)
                    guard known == 0 || position > from else { continue }
                    builder.note(frame, at: position, interval: settings.indexInterval)
                }
            }
            if let checkpoint { builder.restore(maxTimestamp: checkpoint.maxTimestamp) }
            return builder
        }
    }

    /// Makes those indexes anew that do not know exactly the frames that were kept.
    mutating func index(
        _ verdict: RecoveryVerdict, last: Int, lastEnd: UInt64
    ) throws(LogError) {
        guard startSegment <= min(last, found.count - 1) else { return }
        for number in startSegment...min(last, found.count - 1) where found[number].wasScanned {
            let isCut = number == last && found[number].end != lastEnd
            guard isCut || !found[number].isIndexed else { continue }
            let store = found[number].store
            let from = number == startSegment ? startPosition : UInt64(StoreHeader.size)
            var builder = try makeBuilder(store, from: from)
            var end = from
            for run in verdict.kept.map({ runs[$0] })
            where run.firstSegment <= number && run.lastSegment >= number {
                let scanner = StoreScanner(
                    store.file, group: survey.group, salt: store.header.salt,
                    from: run.firstSegment == number ? run.start : from,
                    end: run.lastSegment == number ? run.end : found[number].end)
                builder.breakRun()
                try onDisk { () throws(FileError) in
                    while case .frame(let frame) = try scanner.next(checkingPayloads: false) {
                        builder.note(
                            frame, at: scanner.position - UInt64(frame.frameLength),
                            interval: settings.indexInterval)
                    }
                }
                end = scanner.position
            }
            found[number].builder = builder
            found[number].end = end
            found[number].isIndexed = true
        }
    }
}
