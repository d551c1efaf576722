// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRPCCore
import GRPCProtobuf
import LogAPI
import Records
import Synchronization

@testable import CordwoodClient

/// A log in memory behind the services of cordwood.v1, which does to its clients what it is told to.
final class FakeLog: Sendable {
    /// What to do with the next batch of a produce stream.
    enum Plan {
        case append
        /// Answer that the batch was not appended.
        case refuse(CordwoodError.Code, isRetryable: Bool)
        /// Append the batch and end the stream before the answer.
        case appendAndHangUp
        /// End the stream.
        case hangUp
        /// Wait until the client goes away.
        case fallSilent
    }

    struct State {
        /// Whole stored batches, by partition.
        var partitions: [[[UInt8]]]
        var nextOffsets: [Int64]
        var logStartOffset: Int64 = 0
        var plans: [Plan] = []
        /// Batches that a consume stream sends before it hangs up; endless when `nil`.
        var hangUpAfter: Int?
        var produceStreams = 0
        var consumeRequests: [Cordwood_V1_ConsumeRequest] = []
        /// Messages that consumers were sent.
        var messagesSent = 0
        var codecs: Set<CompressionCodec> = []
    }

    let topic: String
    let state: Mutex<State>
    private let appended = Doorbell()

    init(topic: String, partitionCount: Int = 1) {
        self.topic = topic
        state = Mutex(
            State(
                partitions: Array(repeating: [], count: partitionCount),
                nextOffsets: Array(repeating: 0, count: partitionCount)))
    }

    func plan(_ plans: Plan...) { state.withLock { $0.plans += plans } }

    /// The values of all records of a partition.
    func texts(_ partition: Int = 0) throws -> [String] {
        try state.withLock { $0.partitions[partition] }.flatMap { bytes in
            try bytes.withUnsafeBytes {
                try BatchDecoder.batches(in: $0, wanted: BatchDecoderTests.everything)
            }
        }.flatMap(\.records).map(\.text)
    }

    /// Appends a batch; what a server does with it.
    func append(_ encoded: Data, to partition: Int) -> (baseOffset: Int64, recordCount: Int32) {
        defer { appended.ring() }
        return state.withLock { state in
            var bytes = [UInt8](encoded)
            let base = state.nextOffsets[partition]
            let header = bytes.withUnsafeMutableBytes { buffer in
                BatchHeader.stamp(buffer, baseOffset: Offset(base), leaderEpoch: 1)
                return BatchHeader(reading: UnsafeRawBufferPointer(buffer))
            }
            if let codec = header.attributes.codec { state.codecs.insert(codec) }
            state.partitions[partition].append(bytes)
            state.nextOffsets[partition] += Int64(header.recordCount)
            return (base, header.recordCount)
        }
    }

    func nextPlan() -> Plan {
        state.withLock { $0.plans.isEmpty ? .append : $0.plans.removeFirst() }
    }

    /// Waits until something may have been appended.
    func wait() async { await appended.wait() }

    static func failure(
        _ code: CordwoodError.Code, _ status: RPCError.Code, _ message: String,
        metadata: [String: String] = [:]
    ) -> RPCError {
        RPCError(
            GoogleRPCStatus(
                code: status, message: "\(message) [\(code)]",
                details: [
                    .errorInfo(reason: code.description, domain: "cordwood", metadata: metadata)
                ]))
    }

    func check(_ name: String) throws {
        guard name == topic else {
            throw Self.failure(.topicNotFound, .notFound, "there is no topic \"\(name)\"")
        }
    }
}
