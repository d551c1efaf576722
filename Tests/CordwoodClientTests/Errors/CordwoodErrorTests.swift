// SPDX-License-Identifier: Apache-2.0

import Faults
import GRPCCore
import GRPCProtobuf
import LogAPI
import Testing

@testable import CordwoodClient

@Suite("Errors")
struct CordwoodErrorTests {
    @Test("the code that the server names in the details is the error's, known or not")
    func named() {
        let known = error(reason: "CW-1002", code: .notFound, message: "no topic \"x\" [CW-1002]")
        #expect(known.code == .topicNotFound)
        #expect(known.message == "no topic \"x\"")
        #expect(known.hint == ErrorCode.topicNotFound.remedy)
        #expect(!known.isRetryable)
        #expect("\(known)" == "no topic \"x\" [CW-1002]")
        let unknown = error(reason: "CW-1999", code: .unavailable, message: "something new")
        #expect(unknown.code.rawValue == 1999)
        #expect(unknown.isRetryable)
        #expect(unknown.hint.isEmpty)
    }

    @Test("the offsets that are there, and the server's own hint, come along")
    func metadata() {
        let error = error(
            reason: "CW-1007", code: .outOfRange, message: "no such offset",
            metadata: ["first_offset": "10", "next_offset": "20", "hint": "Start at 10."])
        #expect(error.code == .offsetOutOfRange)
        #expect(error.validOffsets == 10..<20)
        #expect(error.hint == "Start at 10.")
    }

    @Test("offsets that make no range are left out")
    func noRange() {
        for (first, next) in [("20", "10"), ("x", "10"), ("1", "")] {
            let error = error(
                reason: "CW-1007", code: .outOfRange, message: "no such offset",
                metadata: ["first_offset": first, "next_offset": next])
            #expect(error.validOffsets == nil)
        }
    }

    @Test(
        "what the server did not name goes by its status",
        arguments: [
            (RPCError.Code.unavailable, CordwoodError.Code.unreachable, true),
            (.deadlineExceeded, .deadlineExceeded, true), (.cancelled, .cancelled, false),
            (.resourceExhausted, .batchTooLarge, false),
            (.unimplemented, .unexpectedAnswer, false), (.unknown, .unexpectedAnswer, false),
        ])
    func unnamed(status: RPCError.Code, code: CordwoodError.Code, isRetryable: Bool) {
        let error = CordwoodError(RPCError(code: status, message: "text"), server: "host:1")
        #expect(error.code == code)
        #expect(error.isRetryable == isRetryable)
    }

    @Test("a lost connection is told by its innermost cause")
    func innermostCause() {
        struct Lost: Error, CustomStringConvertible { let description: String }
        func error(_ text: String) -> CordwoodError {
            let middle = RPCError(
                code: .unknown, message: "not ready", cause: Lost(description: text))
            let outer = RPCError(code: .unavailable, message: "no channel", cause: middle)
            return CordwoodError(outer, server: "host:1")
        }
        #expect(error("no route").message == "no answer from host:1: no route")
        let refused = error("connection reset (error set): Connection refused) (errno: 111)")
        #expect(refused.message == "no answer from host:1: connection refused")
        #expect(refused.hint == ErrorCode.unreachable.remedy)
    }

    @Test("details that are no details leave the status to speak")
    func brokenDetails() {
        var status = RPCError(code: .unavailable, message: "text")
        status.metadata = ["grpc-status-details-bin": .binary([0xff, 0xff, 0xff])]
        #expect(CordwoodError(status, server: "host:1").code == .unreachable)
    }

    @Test("a cancelled task's error is a cancellation")
    func cancellation() {
        #expect(CordwoodError(CancellationError(), server: "").code == .cancelled)
    }

    @Test("the failure of one batch keeps the server's word on trying again")
    func batchError() {
        var message = Cordwood_V1_Error()
        message.code = "CW-2001"
        message.message = "full"
        message.retryable = true
        #expect(CordwoodError(message).code == .diskFull)
        #expect(CordwoodError(message).isRetryable)
        message.code = "nonsense"
        message.retryable = false
        #expect(CordwoodError(message).code == .unexpectedAnswer)
        #expect(!CordwoodError(message).isRetryable)
    }

    private func error(
        reason: String, code: RPCError.Code, message: String, metadata: [String: String] = [:]
    ) -> CordwoodError {
        let status = GoogleRPCStatus(
            code: code, message: message,
            details: [.errorInfo(reason: reason, domain: "cordwood", metadata: metadata)])
        return CordwoodError(RPCError(status), server: "host:1")
    }
}
