// SPDX-License-Identifier: Apache-2.0

internal import LogAPI

/// Whether a server takes work.
public enum ServerHealth: Sendable, Hashable {
    /// It produces and consumes.
    case serving
    /// It answers, and takes no work: it starts, stops, or its disk failed.
    case notServing
}

extension CordwoodClient {
    /// Asks the server for its health, by the standard `grpc.health.v1` protocol.
    ///
    /// - Throws: ``CordwoodError/Code/unreachable`` if no server answers.
    public func health() async throws(CordwoodError) -> ServerHealth {
        let answer = try await connection.call { options in
            try await connection.health.check(.init(), options: options)
        }
        return answer.status == .serving ? .serving : .notServing
    }
}
