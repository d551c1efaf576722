// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import LogAPI
internal import Logging
internal import Records

/// What feeds a ``Consumer``: reads over one connection after another and hands batches over.
final class ConsumerEngine: Sendable {
    /// Where the batches go.
    let handoff = Handoff<[ConsumedBatch]>()
    private let topic: String
    private let follow: Bool
    private let messageBytesMax: Int32
    private let client: CordwoodClient
    private let bounds: [FoundOffset]

    init(
        topic: String, bounds: [FoundOffset], follow: Bool, bytesMax: Int, client: CordwoodClient
    ) {
        self.topic = topic
        self.bounds = bounds
        self.follow = follow
        self.client = client
        // The transport holds up to ten messages, and the two ends of the handoff one each.
        messageBytesMax = Int32(clamping: max(1, min(bytesMax / 12, 1 << 20)))
    }

    /// Reads until the end, a failure that lasts, or cancellation.
    func run() async {
        let progress = ReadProgress(ReadPositions(bounds, follow: follow))
        var backoff = Backoff()
        while true {
            if progress.positions.isAtEnd { return handoff.finish(.success(())) }
            let started = ContinuousClock.now
            let loss = await streamOnce(progress)
            if Task.isCancelled { return handoff.finish(.failure(loss)) }
            if progress.positions.isAtEnd { return handoff.finish(.success(())) }
            if progress.lastChange > started { backoff = Backoff() }
            guard loss.isRetryable, loss.code != .corruptBatch,
                .now - progress.lastChange < client.configuration.retryTimeout
            else { return handoff.finish(.failure(loss)) }
            client.logger.info(
                "lost the server, connecting again",
                metadata: ["topic": "\(topic)", "error": "\(loss)"])
            await backoff.wait()
        }
    }

    /// Reads until the stream ends, and says why it did.
    private func streamOnce(_ progress: ReadProgress) async -> CordwoodError {
        let request = self.request(progress.positions)
        do {
            try await client.connection.stream { options, acceptance in
                try await self.client.connection.log.consume(request, options: options) {
                    response in
                    acceptance.mark()
                    _ = try response.accepted.get()
                    progress.touch()
                    for try await message in response.messages {
                        let batches = try progress.receive(message, topic: self.topic)
                        if !batches.isEmpty { await self.handoff.give(batches) }
                        // Waiting for a slow loop is no sign of a lost server.
                        progress.touch()
                        if progress.positions.isAtEnd { return }
                    }
                }
            }
            return CordwoodError(.unreachable, "\(client.connection.address) ended the stream")
        } catch {
            return error
        }
    }

    private func request(_ positions: ReadPositions) -> Cordwood_V1_ConsumeRequest {
        var request = Cordwood_V1_ConsumeRequest()
        request.positions = positions.wanted.map { partition, offsets in
            StartPosition.offset(offsets.lowerBound)
                .message(topic: topic, partition: Int32(partition))
        }
        request.follow = follow
        request.messageBytesMax = messageBytesMax
        request.encoded = true
        return request
    }
}
