// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import CommitLog
internal import DequeModule
internal import Faults
internal import GRPCCore
internal import LogAPI
internal import Records

/// One Consume: sends partitions in turn, a message's worth each, and waits at the tails.
///
/// One read is in flight at a time, so a consumer of a thousand partitions holds one message.
struct Consumption: Sendable {
    let writer: RPCWriter<Cordwood_V1_ConsumeResponse>
    let isFollowing: Bool
    let isEncoded: Bool
    let bytesMax: Int

    /// Sends until all is sent or, when following, until the task is cancelled.
    func run(_ cursors: [PartitionCursor]) async throws {
        if cursors.count == 1 {
            try await runOne(cursors[0])
        } else if isFollowing {
            try await followMany(cursors)
        } else {
            try await sendMany(cursors)
        }
    }

    private func runOne(_ cursor: PartitionCursor) async throws {
        var cursor = cursor
        while !cursor.isDone {
            if try await send(&cursor) { continue }
            guard isFollowing else { return }
            try await cursor.partition.waitForRecords(beyond: cursor.next)
        }
    }

    private func sendMany(_ cursors: [PartitionCursor]) async throws {
        var cursors = cursors
        var turns = Deque(cursors.indices)
        while let turn = turns.popFirst() {
            guard !cursors[turn].isDone else { continue }
            if try await send(&cursors[turn]) { turns.append(turn) }
        }
    }

    /// Partitions with records take turns; each of the others has a task that waits for records
    /// and then puts it back in the line.
    private func followMany(_ cursors: [PartitionCursor]) async throws {
        let arrivals = Mailbox<Result<Int, any Error>>()
        try await withThrowingDiscardingTaskGroup { group in
            var cursors = cursors
            var turns = Deque(cursors.indices)
            while true {
                let arrived = turns.isEmpty ? await arrivals.next() : arrivals.takeAll()
                for arrival in arrived ?? [] { turns.append(try arrival.get()) }
                try Task.checkCancellation()
                guard let turn = turns.popFirst() else { continue }
                if try await send(&cursors[turn]) {
                    turns.append(turn)
                    continue
                }
                let partition = cursors[turn].partition
                let next = cursors[turn].next
                group.addTask {
                    do {
                        try await partition.waitForRecords(beyond: next)
                        arrivals.send(.success(turn))
                    } catch {
                        arrivals.send(.failure(error))
                    }
                }
            }
        }
    }

    /// Sends what a partition has next.
    ///
    /// - Returns: Whether there was something.
    private func send(_ cursor: inout PartitionCursor) async throws -> Bool {
        let fetched = try await cursor.partition.read(from: cursor.next, bytesMax: bytesMax)
        let end = cursor.end.map { min($0, fetched.nextOffset) } ?? fetched.nextOffset
        guard !fetched.isEmpty else {
            cursor.next = max(cursor.next, end)
            return false
        }
        var response = Cordwood_V1_ConsumeResponse()
        response.partition = cursor.message
        response.highWatermark = fetched.highWatermark.rawValue
        if isEncoded {
            response.setEncodedBatches(capacity: fetched.byteCount) { append in
                fetched.forEachBatch { batch in
                    if BatchHeader(reading: batch).baseOffset < end { append(batch) }
                }
            }
            response.nextOffset = end.rawValue
            try await writer.write(response)
        } else {
            for message in try decoded(fetched, of: cursor, to: end, as: response) {
                try await writer.write(message)
            }
        }
        cursor.next = end
        return true
    }

    /// The records as messages of about ``bytesMax``; one even if there are no records, since what
    /// was read may be markers that nobody is to see.
    private func decoded(
        _ fetched: FetchedBatches, of cursor: PartitionCursor, to end: Offset,
        as empty: Cordwood_V1_ConsumeResponse
    ) throws(Fault) -> [Cordwood_V1_ConsumeResponse] {
        var messages: [Cordwood_V1_ConsumeResponse] = []
        var message = empty
        var size = 0
        try cursor.opener.forEachRecord(in: fetched, from: cursor.next) { view, records, header in
            let record = Cordwood_V1_Record(view, in: records, header: header)
            guard record.offset < end.rawValue else { return false }
            let recordSize = record.sizeEstimate
            if size + recordSize > bytesMax, !message.records.isEmpty {
                message.nextOffset = record.offset
                messages.append(message)
                message = empty
                size = 0
            }
            message.records.append(record)
            size += recordSize
            return true
        }
        message.nextOffset = end.rawValue
        messages.append(message)
        return messages
    }
}
