// SPDX-License-Identifier: Apache-2.0

/// A batch as the model remembers it.
struct ModelBatch: Sendable, Equatable {
    var base: Int64
    var bytes: [UInt8]
    var timestamps: [Int64]

    var end: Int64 { base + Int64(timestamps.count) }
    var newest: Int64 { timestamps.reduce(.min, max) }
}

/// What a log must hold, kept in the plainest way there is.
struct LogModel: Sendable {
    /// The batches of the log, without a gap, from one at or before the durable start.
    private(set) var batches: [ModelBatch] = []
    /// Batches of appends that failed: they may be in the log after a crash, and need not.
    var doubtful: [ModelBatch] = []
    /// Where the log begins, as callers see it, and as the disk knows it.
    var start: Int64 = 0
    var durableStart: Int64 = 0
    /// Where the log ends.
    private(set) var end: Int64 = 0
    /// What readers were shown in this life.
    var shown: Int64 = 0
    /// What must outlast a power cut.
    var promised: Int64 = 0
    /// The highest term of a batch that readers were shown: no later life may have it.
    var term: UInt64 = 0

    mutating func append(_ batch: ModelBatch) {
        precondition(batch.base == end, "the model's batches are dense")
        batches.append(batch)
        end = batch.end
    }

    /// The number of the batch that holds an offset, or of the first behind it.
    func number(of offset: Int64) -> Int {
        var low = 0
        var high = batches.count
        while low < high {
            let middle = (low + high) / 2
            if batches[middle].end <= offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The first record at or after a time that readers may see.
    func first(atOrAfter time: Int64) -> (offset: Int64, time: Int64)? {
        for batch in batches[number(of: start)...] where batch.newest >= time {
            if batch.end > shown { return nil }
            for (delta, timestamp) in batch.timestamps.enumerated() where timestamp >= time {
                let offset = batch.base + Int64(delta)
                if offset >= start { return (offset, timestamp) }
            }
        }
        return nil
    }

    /// Takes over what a recovered log holds: batches that were checked one by one.
    ///
    /// - Parameter isSynced: Whether the disk holds just that. If not, the cut of a failed append may
    ///   still be undone by a power cut.
    mutating func recover(
        _ recovered: [ModelBatch], start: Int64, end: Int64, isSynced: Bool
    ) {
        let old = batches.prefix { $0.end <= (recovered.first?.base ?? end) }
        batches = old + recovered
        if isSynced { doubtful = [] }
        self.start = start
        self.end = end
        forget(before: durableStart)
    }

    /// Forgets batches that lie before an offset for good.
    mutating func forget(before offset: Int64) {
        batches.removeFirst(number(of: offset))
    }
}
