// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import LogAPI
import Records
import SwiftProtobuf
import Synchronization

/// What the client does to a server: each call answers with records a second.
struct Load: Sendable {
    let port: Int

    typealias Client = GRPCClient<HTTP2ClientTransport.Posix>

    private func withClient(
        _ body: @Sendable (Client) async throws -> Void
    ) async throws -> Double {
        let transport = try HTTP2ClientTransport.Posix(
            target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: .plaintext,
            config: .defaults { $0.http2.targetWindowSize = 1 << 20 })
        return try await withGRPCClient(transport: transport) { client in
            // The connection is made by the first call, which does not count.
            let book = Log_V1_Log.Client(wrapping: client)
            _ = try await book.produce(.with { $0.record.value = Data([1]) })
            let start = DispatchTime.now().uptimeNanoseconds
            try await body(client)
            return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
        }
    }

    /// Single records, each its own call, by 64 callers on one connection.
    func unary(_ count: Int) async throws -> Double {
        let seconds = try await withClient { client in
            let book = Log_V1_Log.Client(wrapping: client)
            let request = Self.request
            try await withThrowingTaskGroup { group in
                for _ in 0..<64 {
                    group.addTask {
                        for _ in 0..<(count / 64) { _ = try await book.produce(request) }
                    }
                }
                try await group.waitForAll()
            }
        }
        return Double(count) / seconds
    }

    private static let request = Log_V1_ProduceRequest.with {
        $0.record.value = Data(repeating: 0x61, count: 100)
    }

    /// The book's stream, one record a message, sent without waiting for answers.
    func bookStream(_ count: Int) async throws -> Double {
        let seconds = try await withClient { client in
            let book = Log_V1_Log.Client(wrapping: client)
            let chunk = [Log_V1_ProduceRequest](repeating: Self.request, count: 50)
            let answers = try await book.produceStream { writer in
                for _ in 0..<(count / 50) { try await writer.write(contentsOf: chunk) }
            } onResponse: { response in
                try await response.messages.reduce(0) { count, _ in count + 1 }
            }
            guard answers == count else { throw Servers.Failure("\(answers) answers") }
        }
        return Double(count) / seconds
    }

    /// The batch stream, 100 records of 100 bytes a message.
    func batchStream(_ count: Int, encoded: Bool) async throws -> Double {
        let message = Self.batch(encoded: encoded)
        let seconds = try await withClient { client in
            let log = Cordwood_V1_LogService.Client(wrapping: client)
            let chunk = [Cordwood_V1_ProduceStreamRequest](repeating: message, count: 4)
            let answers = try await log.produceStream { writer in
                for _ in 0..<(count / 400) { try await writer.write(contentsOf: chunk) }
            } onResponse: { response in
                try await response.messages.reduce(0) { count, answer in
                    guard !answer.hasError else { throw Servers.Failure(answer.error.message) }
                    return count + 1
                }
            }
            guard answers == count / 400 * 4 else { throw Servers.Failure("\(answers) answers") }
        }
        return Double(count) / seconds
    }

    private static func batch(encoded: Bool) -> Cordwood_V1_ProduceStreamRequest {
        Cordwood_V1_ProduceStreamRequest.with { message in
            message.partition.topic = "default"
            if encoded {
                var builder = BatchBuilder()
                for _ in 0..<100 {
                    builder.append(
                        key: nil, value: [UInt8](repeating: 0x61, count: 100),
                        timestamp: Timestamp(milliseconds: 1_000_000))
                }
                let batch = builder.finish()
                message.encodedBatch = Data(batch.bytes)
                // The bytes are the buffer's until here.
                withExtendedLifetime(batch) {}
            } else {
                message.records = (0..<100).map { _ in
                    .with {
                        $0.value = Data(repeating: 0x61, count: 100)
                        $0.timestampMs = 1_000_000
                    }
                }
            }
        }
    }
}
