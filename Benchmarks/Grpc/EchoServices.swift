// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import LogAPI
import SwiftProtobuf

/// The yardstick: the same calls with the same messages, answered without doing anything.
struct EchoBook: Log_V1_Log.SimpleServiceProtocol {
    func produce(
        request: Log_V1_ProduceRequest, context: ServerContext
    ) async throws -> Log_V1_ProduceResponse {
        Log_V1_ProduceResponse.with { $0.offset = UInt64(request.record.value.count) }
    }

    func produceStream(
        request: RPCAsyncSequence<Log_V1_ProduceRequest, any Error>,
        response: RPCWriter<Log_V1_ProduceResponse>, context: ServerContext
    ) async throws {
        for try await message in request {
            try await response.write(
                Log_V1_ProduceResponse.with { $0.offset = UInt64(message.record.value.count) })
        }
    }

    func consume(
        request: Log_V1_ConsumeRequest, context: ServerContext
    ) async throws -> Log_V1_ConsumeResponse {
        throw RPCError(code: .unimplemented, message: "the yardstick only takes records")
    }

    func consumeStream(
        request: Log_V1_ConsumeRequest, response: RPCWriter<Log_V1_ConsumeResponse>,
        context: ServerContext
    ) async throws {
        throw RPCError(code: .unimplemented, message: "the yardstick only takes records")
    }

    func getServers(
        request: Log_V1_GetServersRequest, context: ServerContext
    ) async throws -> Log_V1_GetServersResponse {
        throw RPCError(code: .unimplemented, message: "the yardstick only takes records")
    }
}

/// The yardstick for batches.
struct EchoLog: Cordwood_V1_LogService.SimpleServiceProtocol {
    func produce(
        request: Cordwood_V1_ProduceRequest, context: ServerContext
    ) async throws -> Cordwood_V1_ProduceResponse {
        Cordwood_V1_ProduceResponse.with { $0.recordCount = Int32(request.records.count) }
    }

    func produceStream(
        request: RPCAsyncSequence<Cordwood_V1_ProduceStreamRequest, any Error>,
        response: RPCWriter<Cordwood_V1_ProduceStreamResponse>, context: ServerContext
    ) async throws {
        for try await message in request {
            try await response.write(
                Cordwood_V1_ProduceStreamResponse.with {
                    $0.recordCount = Int32(message.records.count)
                    $0.baseOffset = Int64(message.encodedBatch.count)
                })
        }
    }

    func consume(
        request: Cordwood_V1_ConsumeRequest, response: RPCWriter<Cordwood_V1_ConsumeResponse>,
        context: ServerContext
    ) async throws {
        throw RPCError(code: .unimplemented, message: "the yardstick only takes records")
    }

    func listOffsets(
        request: Cordwood_V1_ListOffsetsRequest, context: ServerContext
    ) async throws -> Cordwood_V1_ListOffsetsResponse {
        throw RPCError(code: .unimplemented, message: "the yardstick only takes records")
    }
}
