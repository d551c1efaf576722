// SPDX-License-Identifier: Apache-2.0

import Faults
import GRPCCore
import GRPCProtobuf
import LogAPI
import Testing

@testable import LogService

@Suite("Statuses of failures")
struct FaultStatusTests {
    @Test(
        "a failure has the status that gRPC means for it",
        arguments: [
            (.invalidArgument, .invalidArgument), (.invalidTopicName, .invalidArgument),
            (.batchTooLarge, .invalidArgument), (.invalidBatch, .invalidArgument),
            (.topicNotFound, .notFound), (.partitionNotFound, .notFound),
            (.topicExists, .alreadyExists), (.offsetOutOfRange, .outOfRange),
            (.diskFull, .resourceExhausted), (.overloaded, .resourceExhausted),
            (.dataLoss, .dataLoss), (.corruptBatch, .dataLoss),
            (.partitionReadOnly, .failedPrecondition), (.shuttingDown, .unavailable),
            (.deadlineExceeded, .deadlineExceeded), (.cancelled, .cancelled),
            (.storageFailed, .internalError), (.internalError, .internalError),
        ] as [(ErrorCode, RPCError.Code)])
    func statuses(code: ErrorCode, status: RPCError.Code) {
        #expect(Fault(code, "x").rpcError().code == status)
    }

    @Test("what can succeed later has a status that clients try again, or damage")
    func retryableStatuses() {
        let again: Set<RPCError.Code> = [
            .unavailable, .resourceExhausted, .deadlineExceeded, .dataLoss,
        ]
        for code in ErrorCode.allCases where code.isRetryable {
            #expect(again.contains(code.status), "\(code)")
        }
    }

    @Test("the details give the stable code and the valid range")
    func details() throws {
        let fault = Fault(
            .offsetOutOfRange, "no record at 9", hint: "look", validOffsets: 3..<9)
        let status = try #require(try fault.rpcError().unpackGoogleRPCStatus())
        #expect(status.code == .outOfRange)
        #expect(status.message == "no record at 9 [CW-1007]")
        #expect(status.details.count == 1)
        let info = try #require(status.details.first?.errorInfo)
        #expect(info.reason == "CW-1007")
        #expect(info.domain == "cordwood")
        #expect(info.metadata == ["first_offset": "3", "next_offset": "9", "hint": "look"])
    }

    @Test("log.v1 callers get a message for people when the offset is out of range, only then")
    func localizedMessage() async throws {
        let outOfRange = await #expect(throws: RPCError.self) {
            try await withStatus(for: 9) {
                throw Fault(.offsetOutOfRange, "x", validOffsets: 0..<1)
            }
        }
        let status = try #require(try outOfRange?.unpackGoogleRPCStatus())
        let message = try #require(status.details.last?.localizedMessage)
        #expect(message.locale == "en-US")
        #expect(message.message == "The log has no record at offset 9.")
        let other = await #expect(throws: RPCError.self) {
            try await withStatus(for: 9) { throw Fault(.diskFull, "x") }
        }
        #expect(try other?.unpackGoogleRPCStatus()?.details.count == 1)
    }

    @Test("a result in a message carries the code, the status and whether to try again")
    func errorMessage() {
        let message = Fault(.overloaded, "too much").errorMessage
        #expect(message.code == "CW-3002")
        #expect(message.message == "too much")
        #expect(message.grpcCode == 8)
        #expect(message.retryable)
        #expect(!Fault(.invalidBatch, "x").errorMessage.retryable)
    }

    @Test("errors that are no faults become statuses too, and statuses stay as they are")
    func otherErrors() async {
        struct Odd: Error {}
        let odd = await #expect(throws: RPCError.self) { try await withStatus { throw Odd() } }
        #expect(odd?.code == .internalError)
        let cancelled = await #expect(throws: RPCError.self) {
            try await withStatus { throw CancellationError() }
        }
        #expect(cancelled?.code == .cancelled)
        let status = await #expect(throws: RPCError.self) {
            try await withStatus { throw RPCError(code: .aborted, message: "as it is") }
        }
        #expect(status == RPCError(code: .aborted, message: "as it is"))
    }
}
