// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import ClusterCore
internal import CommitLog
internal import Faults
internal import KafkaProtocol
internal import NIOCore

/// Which partitions a fetch request is about, and how its answer is put together.
extension KafkaConnection {
    /// The epoch of a request without a session.
    private static let noEpoch: Int32 = -1

    /// Begins a fetch request.
    func fetch(_ request: FetchRequest, version: Int16, answer: Answer) {
        if let error = updateSession(request) {
            var response = FetchResponse()
            response.errorCode = error
            return answer.send(response, .fetch, version)
        }
        let rows: [FetchCall.Row]
        if let session {
            rows = session.entries.enumerated().map { row($1.item, at: $0, version) }
        } else {
            rows = Self.items(of: request).enumerated().map { row($1, at: $0, version) }
        }
        let call = FetchCall(
            request, rows: rows, answer: answer, version: version, connection: self)
        fetches[answer.id] = call
        let (connection, id, loop) = (answer.connection, answer.id, answer.loop)
        note(
            id,
            expire: {
                if loop.inEventLoop {
                    connection.value.fetches[id]?.expire()
                } else {
                    loop.execute { connection.value.fetches[id]?.expire() }
                }
            })
        call.look()
    }

    // MARK: Sessions

    /// Begins, changes or ends the session as the request asks.
    ///
    /// - Returns: Why the request cannot be carried out.
    private func updateSession(_ request: FetchRequest) -> KafkaErrorCode? {
        if request.sessionEpoch <= 0 {
            // Epoch 0 asks for a new session, -1 for none; either ends the one that was.
            session = nil
            guard request.sessionEpoch == 0 else { return nil }
            let items = Self.items(of: request)
            guard !items.isEmpty, items.count <= FetchSession.entriesMax else { return nil }
            session = FetchSession(id: Int32.random(in: 1...Int32.max), items: items)
            return nil
        }
        guard var session, session.id == request.sessionId else { return .fetchSessionIdNotFound }
        guard session.epoch == request.sessionEpoch else { return .invalidFetchSessionEpoch }
        self.session = nil
        let forgotten = request.forgottenTopicsData.flatMap { topic in
            topic.partitions.map { partition in
                FetchSession.Item(
                    topic: topic.topic, topicID: topic.topicId, partition: partition, offset: 0,
                    leaderEpoch: -1, bytesMax: 0)
            }
        }
        guard session.change(Self.items(of: request), forgetting: forgotten) else {
            return .fetchSessionIdNotFound
        }
        session.countRequest()
        self.session = session
        return nil
    }

    private static func items(of request: FetchRequest) -> [FetchSession.Item] {
        request.topics.flatMap { topic in
            topic.partitions.map { partition in
                FetchSession.Item(
                    topic: topic.topic, topicID: topic.topicId, partition: partition.partition,
                    offset: partition.fetchOffset, leaderEpoch: partition.currentLeaderEpoch,
                    bytesMax: Int(max(0, partition.partitionMaxBytes)))
            }
        }
    }

    private func row(_ item: FetchSession.Item, at place: Int, _ version: Int16) -> FetchCall.Row {
        var row = FetchCall.Row(item: item, place: place)
        do throws(Fault) {
            if version >= 13 {
                row.partition = try handlers.broker.partition(
                    id: TopicID(high: item.topicID.high, low: item.topicID.low),
                    number: Int(item.partition))
            } else {
                row.partition = try handlers.broker.partition(item.topic, Int(item.partition))
            }
        } catch {
            row.errorCode =
                version >= 13 && error.code == .topicNotFound
                ? .unknownTopicId : KafkaErrorCode(error)
        }
        return row
    }

    // MARK: The answer

    /// Answers a fetch with what it found.
    func finish(_ call: FetchCall) {
        fetches[call.answer.id] = nil
        var response = FetchResponse()
        response.sessionId = session?.id ?? 0
        let rows = rowsToSend(call)
        var batches: [FetchedBatches] = []
        for row in rows {
            var data = FetchResponse.PartitionData()
            data.partitionIndex = row.item.partition
            data.errorCode = row.errorCode
            data.highWatermark = row.highWatermark
            data.lastStableOffset = row.highWatermark
            data.logStartOffset = row.logStart
            data.abortedTransactions = nil
            data.preferredReadReplica = -1
            data.records = .external(count: row.byteCount)
            if let found = row.batches, !found.isEmpty { batches.append(found) }
            let isSameTopic =
                response.responses.last.map {
                    $0.topic == row.item.topic && $0.topicId == row.item.topicID
                } ?? false
            if !isSameTopic {
                var topic = FetchResponse.FetchableTopicResponse()
                topic.topic = row.item.topic
                topic.topicId = row.item.topicID
                response.responses.append(topic)
            }
            response.responses[response.responses.count - 1].partitions.append(data)
        }
        call.answer.send(response, .fetch, call.version, filling: batches)
    }

    /// In a session only what is new is said again.
    private func rowsToSend(_ call: FetchCall) -> [FetchCall.Row] {
        guard var session else { return call.rows }
        let isFirst = session.epoch == 1
        var said: [(place: Int, highWatermark: Int64, logStart: Int64, hasRecords: Bool)] = []
        let rows = call.rows.filter { row in
            let entry = session.entries[row.place]
            let isNew =
                isFirst || row.errorCode != .none || row.byteCount > 0
                || entry.saidHighWatermark != row.highWatermark
                || entry.saidLogStart != row.logStart
            if isNew {
                said.append((row.place, row.highWatermark, row.logStart, row.byteCount > 0))
            }
            return isNew
        }
        session.note(said)
        self.session = session
        return rows
    }
}
