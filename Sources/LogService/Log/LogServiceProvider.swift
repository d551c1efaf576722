// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import GRPCCore
internal import LogAPI
internal import Records

/// cordwood.v1.LogService: writes and reads partitions.
struct LogServiceProvider: Cordwood_V1_LogService.ServiceProtocol {
    private let surroundings: Surroundings

    init(_ surroundings: Surroundings) {
        self.surroundings = surroundings
    }

    private var settings: LogServiceSettings { surroundings.settings }

    func produce(
        request: ServerRequest<Cordwood_V1_ProduceRequest>, context: ServerContext
    ) async throws -> ServerResponse<Cordwood_V1_ProduceResponse> {
        try await withStatus {
            let partition = try partition(request.message.partition)
            let batch = try BatchRequest.batch(
                of: request.message, sizeMax: partition.batchSizeMax, now: surroundings.clock.wall()
            )
            let appended = try await partition.append(batch)
            var response = Cordwood_V1_ProduceResponse()
            response.baseOffset = appended.baseOffset.rawValue
            response.recordCount = Int32(clamping: appended.recordCount)
            response.appendTimeMs = appended.appendTime.rawValue
            return ServerResponse(message: response)
        }
    }

    func produceStream(
        request: StreamingServerRequest<Cordwood_V1_ProduceStreamRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Cordwood_V1_ProduceStreamResponse> {
        let scope = CallScope(drain: surroundings.drain, metadata: request.metadata)
        let pipeline = Pipeline<PendingBatch>(
            countMax: settings.windowCountMax, bytesMax: settings.windowBytesMax)
        let target = StreamTarget(broker: surroundings.broker)
        return StreamingServerResponse { writer in
            try await withStatus {
                try await pipeline.run(request.messages, to: writer, in: scope) { request in
                    try await begin(request, target)
                }
            }
            return [:]
        }
    }

    func consume(
        request: ServerRequest<Cordwood_V1_ConsumeRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Cordwood_V1_ConsumeResponse> {
        let message = request.message
        let scope = CallScope(drain: surroundings.drain, metadata: request.metadata)
        return try await withStatus {
            let bytesMax = try messageBytesMax(message)
            let positions = try StartPositions(message.positions, surroundings)
            return StreamingServerResponse { writer in
                try await withStatus {
                    try await scope.run {
                        let cursors = try await positions.cursors(follow: message.follow)
                        let consumption = Consumption(
                            writer: writer, isFollowing: message.follow,
                            isEncoded: message.encoded, bytesMax: bytesMax)
                        try await consumption.run(cursors)
                    }
                }
                return [:]
            }
        }
    }

    func listOffsets(
        request: ServerRequest<Cordwood_V1_ListOffsetsRequest>, context: ServerContext
    ) async throws -> ServerResponse<Cordwood_V1_ListOffsetsResponse> {
        try await withStatus {
            let positions = try StartPositions(
                request.message.positions, surroundings, mayRepeat: true)
            return ServerResponse(message: try await positions.list())
        }
    }

    private func partition(_ message: Cordwood_V1_TopicPartition) throws(Fault) -> Partition {
        try RequestChecks.partition(message, of: surroundings.broker)
    }

    /// Begins a batch of a stream.
    ///
    /// What is wrong with it becomes its answer, and the stream goes on; only the end of the call
    /// throws.
    private func begin(
        _ request: Cordwood_V1_ProduceStreamRequest, _ target: StreamTarget
    ) async throws -> PendingBatch {
        while true {
            let pending: PendingBatch
            let partition: Partition
            do {
                partition = try target.partition(for: request)
                let batch = try BatchRequest.batch(
                    of: request, sizeMax: partition.batchSizeMax, now: surroundings.clock.wall())
                pending = PendingBatch(bytes: batch.count)
                partition.append(batch) { pending.complete($0) }
            } catch {
                let pending = PendingBatch(bytes: 0)
                pending.complete(.failure(error))
                return pending
            }
            // A full queue refuses at once. Waiting here holds the client back, and the batches
            // keep their order, which they would not if the client sent this one again.
            guard pending.failure?.code == .overloaded else { return pending }
            try await partition.waitForRoom(for: pending.bytes)
            try Task.checkCancellation()
        }
    }

    private func messageBytesMax(_ request: Cordwood_V1_ConsumeRequest) throws(Fault) -> Int {
        let asked = Int(request.messageBytesMax)
        guard asked >= 0 else {
            throw Fault(.invalidArgument, "message_bytes_max is negative: \(asked)")
        }
        return asked == 0 ? settings.messageBytesDefault : min(asked, settings.messageBytesMax)
    }
}

/// Where the batches of one ProduceStream go: where the last one that said so went.
///
/// `@unchecked Sendable`: only the stream's reader uses it, for one request after the other.
private final class StreamTarget: @unchecked Sendable {
    private let broker: Broker
    private var last: Cordwood_V1_TopicPartition?

    init(broker: Broker) {
        self.broker = broker
    }

    func partition(for request: Cordwood_V1_ProduceStreamRequest) throws(Fault) -> Partition {
        if request.hasPartition { last = request.partition }
        guard let last else {
            throw Fault(.invalidArgument, "the stream's first message names no partition")
        }
        return try RequestChecks.partition(last, of: broker)
    }
}
