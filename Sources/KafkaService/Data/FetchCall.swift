// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import ClusterCore
internal import CommitLog
internal import Faults
internal import KafkaProtocol
internal import NIOCore
internal import Records

/// One fetch request under way: looks for records, waits for some if there are too few, and looks
/// again.
///
/// ```
/// look ──enough, failed or late──▶ answer
///   │ ▲
///   ▼ │ records came, or the wait is over
///  wait
/// ```
///
/// Near the end of the log the records are in the page cache, and the event loop reads them itself; the
/// rest is read in one go on a reader thread. Nothing is kept while it waits but the question.
///
/// Owned by the connection's event loop.
final class FetchCall {
    /// A partition that is asked for, and what was found.
    struct Row: Sendable {
        var item: FetchSession.Item
        /// Where it stands in the session.
        var place: Int
        var partition: Partition?
        var errorCode = KafkaErrorCode.none
        var batches: FetchedBatches?
        var highWatermark: Int64 = -1
        var logStart: Int64 = -1
        /// There are records that found no room in the answer.
        var isPassedOver = false

        var byteCount: Int { batches?.byteCount ?? 0 }
        /// Whether there is more than the answer holds, so that there is nothing to wait for.
        var hasMore: Bool {
            guard let batches, !batches.isEmpty else { return isPassedOver }
            return batches.nextOffset.rawValue < highWatermark
        }
    }

    /// What an answer may take even when there is no room for it.
    private static let bytesFree = 64 << 10

    let answer: Answer
    let version: Int16
    let bytesMin: Int
    let bytesMax: Int
    private let connection: KafkaConnection
    private(set) var rows: [Row]
    private var watch: RecordsWatch?
    private var timer: Scheduled<Void>?
    private var isLate: Bool
    private var isAnswered = false
    private let waitMilliseconds: Int64

    init(
        _ request: FetchRequest, rows: [Row], answer: Answer, version: Int16,
        connection: KafkaConnection
    ) {
        self.answer = answer
        self.version = version
        self.connection = connection
        self.rows = rows
        let settings = connection.settings
        // Who asks for nothing is given the first batch all the same, as by Kafka.
        bytesMax = min(max(1, Int(request.maxBytes)), settings.fetchBytesMax)
        bytesMin = min(max(0, Int(request.minBytes)), bytesMax)
        waitMilliseconds = min(Int64(max(0, request.maxWaitMs)), settings.fetchWaitMax)
        isLate = waitMilliseconds == 0
    }

    /// Looks for records, and answers or waits.
    func look() {
        guard !isAnswered else { return }
        // Answers that clients are slow to take leave less to the others, but always something.
        let room = min(bytesMax, max(Self.bytesFree, connection.budget.bytesLeft))
        var left = room
        var slow: [Int] = []
        for number in rows.indices {
            rows[number].batches = nil
            rows[number].isPassedOver = false
            guard examine(number) else { continue }
            guard left > 0 else {
                rows[number].isPassedOver = true
                continue
            }
            guard slow.isEmpty, let found = readCached(number, left: left) else {
                slow.append(number)
                continue
            }
            rows[number].take(found, left: &left, isFirst: left == room)
        }
        if slow.isEmpty { decide() } else { readOnThread(slow, left: left, isFirst: left == room) }
    }

    /// Whether there may be records to read; errors are noted.
    private func examine(_ number: Int) -> Bool {
        guard let partition = rows[number].partition else { return false }
        let item = rows[number].item
        do throws(Fault) {
            let bounds = try partition.bounds
            rows[number].highWatermark = bounds.upperBound.rawValue
            rows[number].logStart = bounds.lowerBound.rawValue
            rows[number].errorCode = Self.compare(item.leaderEpoch, with: partition.term)
            guard rows[number].errorCode == .none else { return false }
            guard item.offset >= bounds.lowerBound.rawValue,
                item.offset <= bounds.upperBound.rawValue
            else {
                rows[number].errorCode = .offsetOutOfRange
                return false
            }
            return item.offset < bounds.upperBound.rawValue
        } catch {
            rows[number].errorCode = KafkaErrorCode(error)
            return false
        }
    }

    /// Judges the leader epoch that a client knows (KIP-320).
    static func compare(_ epoch: Int32, with term: Term) -> KafkaErrorCode {
        if epoch < 0 || UInt64(epoch) == term.rawValue { return .none }
        return UInt64(epoch) < term.rawValue ? .fencedLeaderEpoch : .unknownLeaderEpoch
    }

    private func readCached(_ number: Int, left: Int) -> FetchedBatches? {
        let item = rows[number].item
        do throws(Fault) {
            return try rows[number].partition?.readCached(
                from: Offset(item.offset), bytesMax: min(item.bytesMax, left),
                into: SocketMemory.source)
        } catch {
            // The reader thread finds the same, and has more ways to deal with it.
            return nil
        }
    }

    private func readOnThread(_ numbers: [Int], left: Int, isFirst: Bool) {
        let asked = numbers.map { rows[$0] }
        let (loop, connection, id) = (answer.loop, answer.connection, answer.id)
        let budget = self.connection.budget
        let isQueued = asked.first?.partition?.onReaderThread {
            // Counted before it is read: of many that wait for this thread each would find room.
            let room = budget.take(upTo: left, atLeast: min(left, Self.bytesFree))
            let read = Self.read(asked, left: room, isFirst: isFirst)
            loop.execute {
                // By now the answer counts, or nobody wants it any more.
                defer { budget.giveBack(room) }
                connection.value.fetches[id]?.take(read, at: numbers)
            }
        }
        guard isQueued == true else {
            for number in numbers { rows[number].errorCode = .notLeaderOrFollower }
            return decide()
        }
    }

    private static func read(_ rows: [Row], left: Int, isFirst: Bool) -> [Row] {
        var rows = rows
        var isFirst = isFirst
        var left = left
        for number in rows.indices {
            guard let partition = rows[number].partition else { continue }
            guard left > 0 else {
                rows[number].isPassedOver = true
                continue
            }
            let item = rows[number].item
            do throws(Fault) {
                let found = try partition.readBlocking(
                    from: Offset(item.offset), bytesMax: min(item.bytesMax, left),
                    into: SocketMemory.source)
                rows[number].take(found, left: &left, isFirst: isFirst)
                isFirst = isFirst && found.isEmpty
            } catch {
                rows[number].errorCode = KafkaErrorCode(error)
            }
        }
        return rows
    }

    private func take(_ read: [Row], at numbers: [Int]) {
        guard !isAnswered else { return }
        for (row, number) in zip(read, numbers) { rows[number] = row }
        decide()
    }

    private func decide() {
        let found = rows.reduce(0) { $0 + $1.byteCount }
        let hasError = rows.contains { $0.errorCode != .none }
        // With more there than the answer holds, waiting would bring nothing.
        let isFull = rows.contains { $0.hasMore }
        if isLate || hasError || found >= bytesMin || isFull || rows.isEmpty {
            finish()
        } else {
            wait()
        }
    }

    // MARK: Waiting

    private func wait() {
        let (loop, connection, id) = (answer.loop, answer.connection, answer.id)
        if timer == nil {
            timer = loop.scheduleTask(in: .milliseconds(waitMilliseconds)) {
                connection.value.fetches[id]?.endWait()
            }
        }
        let watch = RecordsWatch {
            loop.execute { connection.value.fetches[id]?.look() }
        }
        self.watch = watch
        // Only the question is kept: the records are read again, with those that come.
        for number in rows.indices { rows[number].batches = nil }
        for row in rows {
            guard let partition = row.partition else { continue }
            // Beyond what was seen just now, so that what came meanwhile is not missed.
            let seen = Offset(max(row.highWatermark, row.item.offset))
            do throws(Fault) {
                guard try partition.watch(watch, beyond: seen) else {
                    watch.cancel()
                    return loop.execute { connection.value.fetches[id]?.look() }
                }
            } catch {
                watch.cancel()
                return loop.execute { connection.value.fetches[id]?.look() }
            }
        }
    }

    private func endWait() {
        isLate = true
        watch?.cancel()
        look()
    }

    /// Ends the wait, with whatever there is.
    func expire() { endWait() }

    /// Forgets everything: the client is gone.
    func cancel() {
        isAnswered = true
        watch?.cancel()
        timer?.cancel()
    }

    private func finish() {
        guard !isAnswered else { return }
        cancel()
        connection.finish(self)
    }
}

extension FetchCall.Row {
    /// Takes batches into the answer if there is room for them; the first come whatever their size.
    fileprivate mutating func take(_ found: FetchedBatches, left: inout Int, isFirst: Bool) {
        guard isFirst || found.byteCount <= left else {
            isPassedOver = true
            return
        }
        batches = found
        left -= min(left, found.byteCount)
    }
}
