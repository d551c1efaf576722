// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import LogAPI
internal import Logging
internal import Records
internal import Synchronization

extension ProducerEngine {
    /// Moves batches until the task is cancelled; fails what is left then.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watchDeadlines() }
            group.addTask { await self.keepStreaming() }
        }
        let closed = CordwoodError(.closed, "the producer of \"\(topic)\" is closed")
        state.withLock { $0.closed = closed }
        giveUp(closed) { $0.abandonAll() }
    }

    /// The ticker: wakes the writer when an open batch has lingered for long enough.
    private func watchDeadlines() async {
        while !Task.isCancelled {
            let deadline = state.withLock { $0.accumulator.nextDeadline }
            if let deadline, deadline > .now {
                // Throws only when cancelled, which ends the loop.
                try? await Task.sleep(until: deadline, clock: .continuous)
            } else {
                if deadline != nil { writerBell.ring() }
                await tickerBell.wait()
            }
        }
    }

    // MARK: - The stream

    /// Streams over one connection after another.
    private func keepStreaming() async {
        var backoff = Backoff()
        while !Task.isCancelled {
            guard state.withLock({ $0.accumulator.hasWork(at: .now) }) else {
                await writerBell.wait()
                continue
            }
            let started = ContinuousClock.now
            let loss = await streamOnce()
            if Task.isCancelled { return }
            let lastProgress = state.withLock { $0.lastProgress }
            if lastProgress > started { backoff = Backoff() }
            guard loss.isRetryable, .now - lastProgress < client.configuration.retryTimeout else {
                giveUp(loss) { $0.abandonAll() }
                continue
            }
            client.logger.info(
                "lost the server, connecting again",
                metadata: ["topic": "\(topic)", "error": "\(loss)"])
            recoverInFlight(from: loss)
            await backoff.wait()
        }
    }

    /// Streams until the connection is lost, and says why it was.
    private func streamOnce() async -> CordwoodError {
        do {
            try await client.connection.stream { options, acceptance in
                try await self.client.connection.log.produceStream(
                    options: options
                ) { writer in
                    while let batches = await self.nextBatches() {
                        try await writer.write(contentsOf: batches.map(self.request))
                    }
                } onResponse: { response in
                    acceptance.mark()
                    var backoff = Backoff()
                    for try await answer in response.messages {
                        if try await self.settleOldest(answer, backoff: &backoff) {
                            backoff = Backoff()
                        }
                    }
                }
            }
            return CordwoodError(.unreachable, "\(client.connection.address) ended the stream")
        } catch {
            return error
        }
    }

    /// The batches to write next, once there are some; `nil` when the task is cancelled.
    private func nextBatches() async -> [SealedBatch]? {
        while !Task.isCancelled {
            let batches = state.withLock { $0.accumulator.takeReady(at: .now) }
            if !batches.isEmpty {
                // What the ticker was watching is gone.
                tickerBell.ring()
                return batches
            }
            await writerBell.wait()
        }
        return nil
    }

    private func request(for batch: SealedBatch) -> Cordwood_V1_ProduceStreamRequest {
        let buffer = batch.buffer.packed(options.compression)
        return Cordwood_V1_ProduceStreamRequest(buffer, topic: topic, partition: batch.partition)
    }

    // MARK: - Answers

    /// Does what the answer for the oldest batch in flight says.
    ///
    /// - Returns: Whether the batch is done with; otherwise it goes out again, after a pause.
    private func settleOldest(
        _ answer: Cordwood_V1_ProduceStreamResponse, backoff: inout Backoff
    ) async throws(CordwoodError) -> Bool {
        guard let oldest = state.withLock({ $0.accumulator.oldestInFlight }) else {
            throw CordwoodError(.unexpectedAnswer, "the server answered a batch that was not sent")
        }
        guard answer.hasError else {
            guard Int(answer.recordCount) == oldest.recordCount, answer.baseOffset >= 0 else {
                throw CordwoodError(
                    .unexpectedAnswer,
                    "the server appended \(answer.recordCount) of \(oldest.recordCount) records")
            }
            finishOldest()
            oldest.outcome.resolve(.success(Offset(answer.baseOffset)))
            return true
        }
        let error = CordwoodError(answer.error)
        let refusedSince = oldest.refusedSince ?? .now
        guard error.isRetryable, .now - refusedSince < client.configuration.retryTimeout else {
            finishOldest(failure: oldest.hasUnwatchedRecords ? error : nil)
            oldest.outcome.resolve(.failure(error))
            return true
        }
        client.logger.info(
            "the server refused a batch for now",
            metadata: ["topic": "\(topic)", "error": "\(error)"])
        await backoff.wait()
        state.withLock { $0.accumulator.retryOldest(refusedSince: refusedSince) }
        writerBell.ring()
        return false
    }

    private func finishOldest(failure: CordwoodError? = nil) {
        let parked = state.withLock { state in
            _ = state.accumulator.finishOldest()
            state.lastProgress = .now
            state.failure = state.failure ?? failure
            return state.takeParked()
        }
        for waiter in parked { waiter.resume() }
        writerBell.ring()
    }

    // MARK: - Losses

    /// Sends batches whose answer was lost again, or fails them, as the options say.
    private func recoverInFlight(from loss: CordwoodError) {
        switch options.guarantee {
        case .atLeastOnce:
            state.withLock { $0.accumulator.retryInFlight() }
        case .atMostOnce:
            var error = loss
            error.message += "; the records may have been appended, or not"
            giveUp(error) { $0.abandonInFlight() }
        }
    }

    /// Fails batches.
    private func giveUp(
        _ error: CordwoodError, _ abandon: (inout Accumulator) -> [SealedBatch]
    ) {
        let (batches, parked) = state.withLock { state in
            let batches = abandon(&state.accumulator)
            if batches.contains(where: \.hasUnwatchedRecords) {
                state.failure = state.failure ?? error
            }
            return (batches, state.takeParked())
        }
        for batch in batches { batch.outcome.resolve(.failure(error)) }
        for waiter in parked { waiter.resume() }
    }
}

extension ProducerEngine.State {
    /// The callers that waited for room, who look again.
    mutating func takeParked() -> [CheckedContinuation<Void, Never>] {
        defer { parked.removeAll() }
        return parked.sorted { $0.key < $1.key }.map(\.value)
    }
}
