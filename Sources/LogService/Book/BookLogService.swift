// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import CommitLog
internal import Faults
internal import GRPCCore
internal import LogAPI
internal import Records
internal import SwiftProtobuf

/// log.v1.Log, the API of "Distributed Services with Go", on the first partition of one topic.
struct BookLogService: Log_V1_Log.ServiceProtocol {
    /// How much ConsumeStream reads at once: some thousand small records.
    private static let readBytes = 256 << 10

    private let surroundings: Surroundings

    init(_ surroundings: Surroundings) {
        self.surroundings = surroundings
    }

    func produce(
        request: ServerRequest<Log_V1_ProduceRequest>, context: ServerContext
    ) async throws -> ServerResponse<Log_V1_ProduceResponse> {
        try await withStatus {
            let record = try record(of: request.message)
            let offset = try await partition().append(record).offset
            return ServerResponse(message: .with { $0.offset = UInt64(clamping: offset.rawValue) })
        }
    }

    func consume(
        request: ServerRequest<Log_V1_ConsumeRequest>, context: ServerContext
    ) async throws -> ServerResponse<Log_V1_ConsumeResponse> {
        let wanted = request.message.offset
        return try await withStatus(for: wanted) {
            let partition = try partition()
            let offset = try offset(wanted, in: partition)
            let fetched = try await partition.read(from: offset, bytesMax: 1)
            let batches = BatchOpener(partition)
            var found: Log_V1_Record?
            try batches.forEachRecord(in: fetched, from: offset) { view, records, header in
                found = Log_V1_Record(view, in: records, header: header)
                return false
            }
            guard let found, found.offset == wanted else { throw outOfRange(wanted, partition) }
            return ServerResponse(message: .with { $0.record = found })
        }
    }

    func consumeStream(
        request: ServerRequest<Log_V1_ConsumeRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Log_V1_ConsumeResponse> {
        let wanted = request.message.offset
        let scope = CallScope(drain: surroundings.drain, metadata: request.metadata)
        return try await withStatus(for: wanted) {
            let partition = try partition()
            let start = try offset(wanted, in: partition)
            guard start >= partition.logStartOffset else { throw outOfRange(wanted, partition) }
            return StreamingServerResponse { writer in
                try await withStatus {
                    try await scope.run { try await follow(partition, from: start, to: writer) }
                }
                return [:]
            }
        }
    }

    func produceStream(
        request: StreamingServerRequest<Log_V1_ProduceRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Log_V1_ProduceResponse> {
        let scope = CallScope(drain: surroundings.drain, metadata: request.metadata)
        let partition = try await withStatus { try self.partition() }
        let pipeline = Pipeline<PendingBookRecord>(
            countMax: surroundings.settings.windowCountMax,
            bytesMax: surroundings.settings.windowBytesMax)
        return StreamingServerResponse { writer in
            try await withStatus {
                try await pipeline.run(request.messages, to: writer, in: scope) { request in
                    let record = try record(of: request)
                    let bytes = record.value?.count ?? 0
                    return PendingBookRecord(
                        record: try await append(record, to: partition), bytes: bytes)
                }
            }
            return [:]
        }
    }

    func getServers(
        request: ServerRequest<Log_V1_GetServersRequest>, context: ServerContext
    ) async throws -> ServerResponse<Log_V1_GetServersResponse> {
        // This server alone, whoever else gossip knows: the others hold logs of their own, until
        // partitions are replicated between servers, so a client must not be sent to them.
        var server = Log_V1_Server()
        server.id = surroundings.broker.nodeID
        server.rpcAddr = surroundings.settings.advertisedAddress()
        server.isLeader = true
        return ServerResponse(message: .with { $0.servers = [server] })
    }

    private func partition() throws(Fault) -> Partition {
        try surroundings.broker.partition(surroundings.settings.bookTopic, 0)
    }

    private func record(of request: Log_V1_ProduceRequest) throws(Fault) -> Record {
        guard request.hasRecord else {
            throw Fault(.invalidArgument, "the request has no record")
        }
        return Record(request.record)
    }

    /// Appends a record of a stream; when the queue is full the stream waits in place of failing.
    private func append(
        _ record: Record, to partition: Partition
    ) async throws(Fault) -> PendingRecord {
        while true {
            do {
                return try partition.append(record)
            } catch  where error.code == .overloaded {
                try await partition.waitForRoom()
            }
        }
    }

    /// Sends what there is from an offset on and then waits for more, until the task is cancelled.
    private func follow(
        _ partition: Partition, from start: Offset, to writer: RPCWriter<Log_V1_ConsumeResponse>
    ) async throws {
        let batches = BatchOpener(partition)
        var next = start
        while true {
            try await partition.waitForRecords(beyond: next)
            let wanted = next
            let fetched = try await partition.read(from: next, bytesMax: Self.readBytes)
            next = fetched.nextOffset
            guard !fetched.isEmpty else { continue }
            var responses: [Log_V1_ConsumeResponse] = []
            try batches.forEachRecord(in: fetched, from: wanted) { view, records, header in
                var response = Log_V1_ConsumeResponse()
                response.record = Log_V1_Record(view, in: records, header: header)
                responses.append(response)
                return true
            }
            try await writer.write(contentsOf: responses)
        }
    }

    /// The offset of a request; offsets that no log reaches are out of range at once.
    private func offset(_ wanted: UInt64, in partition: Partition) throws(Fault) -> Offset {
        guard let offset = Int64(exactly: wanted), offset < .max else {
            throw outOfRange(wanted, partition)
        }
        return Offset(offset)
    }

    private func outOfRange(_ wanted: UInt64, _ partition: Partition) -> Fault {
        let first = partition.logStartOffset.rawValue
        let next = max(first, partition.highWatermark.rawValue)
        return Fault(
            .offsetOutOfRange,
            "there is no record at offset \(wanted): the log holds \(first)..<\(next)",
            validOffsets: first..<next)
    }
}

/// A record of ProduceStream on its way.
struct PendingBookRecord: PendingAnswer {
    let record: PendingRecord
    let bytes: Int

    func answerNow() throws -> Log_V1_ProduceResponse? {
        guard let completed = record.completed else { return nil }
        let appended = try completed.get()
        return Self.answer(appended.baseOffset.advanced(by: record.offsetDelta))
    }

    func answer() async throws -> Log_V1_ProduceResponse {
        Self.answer(try await record.offset)
    }

    private static func answer(_ offset: Offset) -> Log_V1_ProduceResponse {
        var response = Log_V1_ProduceResponse()
        response.offset = UInt64(clamping: offset.rawValue)
        return response
    }
}
