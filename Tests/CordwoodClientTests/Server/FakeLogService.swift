// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRPCCore
import LogAPI
import Records
import Synchronization

@testable import CordwoodClient

/// The cordwood.v1.LogService of a ``FakeLog``.
struct FakeLogService: Cordwood_V1_LogService.SimpleServiceProtocol {
    let log: FakeLog

    func produce(
        request: Cordwood_V1_ProduceRequest, context: ServerContext
    ) async throws -> Cordwood_V1_ProduceResponse {
        try log.check(request.partition.topic)
        let (base, count) = log.append(
            request.encodedBatch, to: Int(request.partition.partition))
        var response = Cordwood_V1_ProduceResponse()
        response.baseOffset = base
        response.recordCount = count
        return response
    }

    func produceStream(
        request: RPCAsyncSequence<Cordwood_V1_ProduceStreamRequest, any Error>,
        response: RPCWriter<Cordwood_V1_ProduceStreamResponse>, context: ServerContext
    ) async throws {
        log.state.withLock { $0.produceStreams += 1 }
        for try await message in request {
            try log.check(message.partition.topic)
            var answer = Cordwood_V1_ProduceStreamResponse()
            switch log.nextPlan() {
            case .append:
                (answer.baseOffset, answer.recordCount) = log.append(
                    message.encodedBatch, to: Int(message.partition.partition))
            case .refuse(let code, let isRetryable):
                answer.baseOffset = -1
                answer.error.code = code.description
                answer.error.message = "refused"
                answer.error.retryable = isRetryable
            case .appendAndHangUp:
                _ = log.append(message.encodedBatch, to: Int(message.partition.partition))
                throw RPCError(code: .unavailable, message: "gone")
            case .hangUp:
                throw RPCError(code: .unavailable, message: "gone")
            case .fallSilent:
                try await Task.sleep(for: .seconds(3600))
            }
            try await response.write(answer)
        }
    }

    func consume(
        request: Cordwood_V1_ConsumeRequest,
        response: RPCWriter<Cordwood_V1_ConsumeResponse>, context: ServerContext
    ) async throws {
        log.state.withLock { $0.consumeRequests.append(request) }
        var sent = 0
        for position in request.positions {
            let partition = Int(position.partition.partition)
            var next = position.offset
            while true {
                let start = next
                let (batch, hangUpAfter) = log.state.withLock { state in
                    (Self.batch(of: state.partitions[partition], at: start), state.hangUpAfter)
                }
                guard let (bytes, end) = batch else {
                    if !request.follow { break }
                    await log.wait()
                    try Task.checkCancellation()
                    continue
                }
                if let hangUpAfter, sent >= hangUpAfter {
                    throw RPCError(code: .unavailable, message: "gone")
                }
                var message = Cordwood_V1_ConsumeResponse()
                message.partition = position.partition
                message.encodedBatches = Data(bytes)
                message.nextOffset = end
                message.highWatermark = log.state.withLock { $0.nextOffsets[partition] }
                try await response.write(message)
                log.state.withLock { $0.messagesSent += 1 }
                next = end
                sent += 1
            }
        }
    }

    /// The batch that holds an offset, and the offset behind it.
    private static func batch(of batches: [[UInt8]], at offset: Int64) -> ([UInt8], Int64)? {
        for bytes in batches {
            let header = bytes.withUnsafeBytes { BatchHeader(reading: $0) }
            if header.endOffset.rawValue > offset { return (bytes, header.endOffset.rawValue) }
        }
        return nil
    }

    func listOffsets(
        request: Cordwood_V1_ListOffsetsRequest, context: ServerContext
    ) async throws -> Cordwood_V1_ListOffsetsResponse {
        var response = Cordwood_V1_ListOffsetsResponse()
        for position in request.positions {
            try log.check(position.partition.topic)
            let (start, end) = log.state.withLock {
                ($0.logStartOffset, $0.nextOffsets[Int(position.partition.partition)])
            }
            var result = Cordwood_V1_OffsetResult()
            result.partition = position.partition
            result.logStartOffset = start
            result.highWatermark = end
            switch position.start {
            case .earliest: result.offset = start
            case .latest, .timestampMs, nil: result.offset = end
            case .last(let count): result.offset = max(start, end - count)
            case .offset(let offset):
                guard (start...end).contains(offset) else {
                    throw FakeLog.failure(
                        .offsetOutOfRange, .outOfRange, "offset \(offset) is not there",
                        metadata: ["first_offset": "\(start)", "next_offset": "\(end)"])
                }
                result.offset = offset
            }
            response.results.append(result)
        }
        return response
    }
}
