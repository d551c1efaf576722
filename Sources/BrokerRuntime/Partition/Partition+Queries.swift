// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
public import Faults
public import Records

/// What a partition's log says of itself: looked up on reader threads, since it may wait for the disk.
extension Partition {
    /// The record with the highest timestamp, the first of them by offset; `nil` without records.
    public func recordWithMaxTimestamp() async throws(Fault) -> (
        offset: Offset, timestamp: Timestamp
    )? {
        let inflatedSizeMax = batchSizeMax * BatchContent.inflationMax
        return try await query { snapshot throws(LogError) in
            try snapshot.recordWithMaxTimestamp(inflatedSizeMax: inflatedSizeMax)
        }
    }

    /// The term of the batch that holds an offset; `nil` where there is none, such as at the end.
    public func term(at offset: Offset) async throws(Fault) -> Term? {
        try await query { snapshot throws(LogError) in try snapshot.term(at: offset) }
    }

    /// Where the records of all terms up to one end: the highest such term that there are records
    /// of, and the first offset of the terms after it, or the high watermark.
    public func endOffset(
        ofTerm term: Term
    ) async throws(Fault) -> (term: Term, offset: Offset) {
        try await query { snapshot throws(LogError) in try snapshot.endOffset(ofTerm: term) }
    }

    private func query<Value: Sendable>(
        _ body: @escaping @Sendable (LogSnapshot) throws(LogError) -> Value
    ) async throws(Fault) -> Value {
        let snapshot = try snapshot()
        let name = name
        return try await host.readers.run { () throws(Fault) in
            do throws(LogError) {
                return try body(snapshot)
            } catch {
                throw Fault(error, of: name)
            }
        }
    }
}
