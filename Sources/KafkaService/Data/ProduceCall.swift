// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import ClusterCore
internal import Faults
internal import KafkaProtocol
internal import NIOCore
internal import Records
internal import Synchronization

/// One produce request under way: its batches wait for the disk, each in its partition.
///
/// The event loop decodes, checks and queues; storage threads complete; the last completion answers.
///
/// `acks` asks for less than Cordwood gives: with 1 and with all the answer comes once the batch is as
/// durable as the topic says. With 0 there is no answer, and a failure closes the connection, which is
/// the one way to tell the producer.
final class ProduceCall: Sendable {
    /// A batch and where it goes; where it cannot go at all its row is answered already.
    struct Entry: Sendable {
        var partition: Partition
        var batch: BatchBuffer
        var topic: Int
        var row: Int
    }

    private struct State {
        var response: ProduceResponse
        /// Rows that are not answered, and one for the queueing itself.
        var waiting: Int
        var isAnswered = false
    }

    private let answer: Answer
    private let version: Int16
    private let wantsAnswer: Bool
    private let entries: [Entry]
    private let state: Mutex<State>

    init(
        answer: Answer, version: Int16, wantsAnswer: Bool, response: ProduceResponse,
        entries: [Entry]
    ) {
        self.answer = answer
        self.version = version
        self.wantsAnswer = wantsAnswer
        self.entries = entries
        state = Mutex(State(response: response, waiting: entries.count + 1))
    }

    /// Queues the batches from a place on; on the event loop.
    ///
    /// - Returns: Whether all are queued. If not a partition's queue is full, and `onRoom` is called
    ///   with where to go on once it is not.
    func queue(from first: Int, onRoom: @escaping @Sendable (Int) -> Void) -> Bool {
        for place in first..<entries.count {
            let entry = entries[place]
            if entry.partition.onRoom(for: entry.batch.count, { onRoom(place) }) { return false }
            entry.partition.append(entry.batch) { result in self.finish(entry, result) }
        }
        finishRow { _ in }
        return true
    }

    private func finish(_ entry: Entry, _ result: Result<Appended, Fault>) {
        let logStart = entry.partition.logStartOffset.rawValue
        finishRow { response in
            var row = response.responses[entry.topic].partitionResponses[entry.row]
            switch result {
            case .success(let appended):
                row.errorCode = .none
                row.baseOffset = appended.baseOffset.rawValue
                row.logStartOffset = logStart
            case .failure(let fault):
                row.errorCode = KafkaErrorCode(fault)
                row.errorMessage = fault.message
            }
            response.responses[entry.topic].partitionResponses[entry.row] = row
        }
    }

    /// Answers with what is known: rows that are not answered have timed out, though their batches
    /// may still be appended.
    func expire() { finish(isLast: true) { _ in } }

    private func finishRow(_ change: (inout ProduceResponse) -> Void) {
        finish(isLast: false, change)
    }

    private func finish(isLast: Bool, _ change: (inout ProduceResponse) -> Void) {
        let response = state.withLock { state -> ProduceResponse? in
            guard !state.isAnswered else { return nil }
            change(&state.response)
            state.waiting -= 1
            guard state.waiting == 0 || isLast else { return nil }
            state.isAnswered = true
            return state.response
        }
        guard let response else { return }
        let (answer, version, wantsAnswer) = (answer, version, wantsAnswer)
        answer.send {
            wantsAnswer
                ? ResponseEncoder.encode(response, .produce, version, answer.correlationID)
                : Self.withoutAnswer(response)
        }
    }

    private static func withoutAnswer(_ response: ProduceResponse) -> AnswerBytes {
        for topic in response.responses {
            for row in topic.partitionResponses where row.errorCode != .none {
                return .close(
                    "a batch for \(topic.name)-\(row.index), sent with acks 0, failed: "
                        + "\(row.errorMessage ?? "error \(row.errorCode.rawValue)")")
            }
        }
        return .nothing
    }
}

extension KafkaConnection {
    /// Begins a produce request.
    func produce(
        _ request: ProduceRequest, _ frame: UnsafeRawBufferPointer, version: Int16, answer: Answer
    ) {
        var response = ProduceResponse()
        var entries: [ProduceCall.Entry] = []
        let refusal = Self.refusal(of: request)
        response.responses.reserveCapacity(request.topicData.count)
        for topic in request.topicData {
            var rows = ProduceResponse.TopicProduceResponse()
            rows.name = topic.name
            for item in topic.partitionData {
                var row = ProduceResponse.PartitionProduceResponse()
                row.index = item.index
                row.baseOffset = -1
                row.logAppendTimeMs = -1
                row.logStartOffset = -1
                // What is not answered in time has timed out.
                row.errorCode = .requestTimedOut
                do throws(Fault) {
                    if let refusal { throw refusal }
                    let partition = try writablePartition(topic.name, item.index)
                    let batch = try Self.batch(item.records, in: frame, version, for: partition)
                    entries.append(
                        ProduceCall.Entry(
                            partition: partition, batch: batch, topic: response.responses.count,
                            row: rows.partitionResponses.count))
                } catch {
                    row.errorCode =
                        refusal == nil ? KafkaErrorCode(error) : Self.code(ofRefused: request)
                    row.errorMessage = error.message
                }
                rows.partitionResponses.append(row)
            }
            response.responses.append(rows)
        }
        let call = ProduceCall(
            answer: answer, version: version, wantsAnswer: request.acks != 0, response: response,
            entries: entries)
        // Seconds are counted, so a request may wait for the disk a moment longer than it says.
        let seconds = Int64(max(1000, request.timeoutMs)) / 1000 + 1
        if request.acks == 0 {
            note(answer.id, isProduce: true)
        } else {
            note(answer.id, isProduce: true, deadlineSeconds: seconds) { call.expire() }
        }
        queue(call, from: 0, answer)
    }

    private func queue(_ call: ProduceCall, from first: Int, _ answer: Answer) {
        let isQueued = call.queue(from: first) { place in
            answer.loop.execute {
                let connection = answer.connection.value
                connection.isHeldByRequest = false
                connection.queue(call, from: place, answer)
                connection.goOn()
            }
        }
        // The order of batches is the order of requests, so those behind wait too.
        if !isQueued { isHeldByRequest = true }
    }

    private func writablePartition(_ topic: String, _ index: Int32) throws(Fault) -> Partition {
        guard !TopicName.isInternal(topic) else {
            throw Fault(.invalidTopicName, "\(topic) is the server's own: it takes no records")
        }
        return try handlers.broker.partition(topic, Int(index))
    }

    /// Copies a batch out of the request's frame, to where it is stamped and written from.
    private static func batch(
        _ records: KafkaRecords, in frame: UnsafeRawBufferPointer, _ version: Int16,
        for partition: Partition
    ) throws(Fault) -> BatchBuffer {
        guard case .slice(let range) = records, !range.isEmpty else {
            throw Fault(.invalidBatch, "there is no batch")
        }
        guard range.count <= partition.batchSizeMax else {
            throw Fault(
                .batchTooLarge,
                "a batch of \(range.count) bytes, the limit of \(partition.topic) is "
                    + "\(partition.batchSizeMax)")
        }
        let bytes = UnsafeRawBufferPointer(rebasing: frame[range])
        guard bytes.count >= BatchHeader.size else {
            throw Fault(.invalidBatch, "a batch has at least 61 bytes, not \(bytes.count)")
        }
        let isZstd = bytes[22] & 7 == CompressionCodec.zstd.rawValue
        if isZstd, version < 7 {
            throw Fault(.unsupportedCompression, "zstd is for Produce version 7 and newer")
        }
        return BatchBuffer(copying: bytes)
    }

    /// Why no row of a request can be carried out.
    private static func refusal(of request: ProduceRequest) -> Fault? {
        if !(-1...1).contains(request.acks) {
            return Fault(.invalidArgument, "acks is -1, 0 or 1, not \(request.acks)")
        }
        if request.transactionalId != nil {
            return Fault(.invalidArgument, "transactions are not supported")
        }
        return nil
    }

    private static func code(ofRefused request: ProduceRequest) -> KafkaErrorCode {
        request.transactionalId == nil
            ? .invalidRequiredAcks : .transactionalIdAuthorizationFailed
    }
}
