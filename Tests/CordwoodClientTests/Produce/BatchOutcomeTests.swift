// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import CordwoodClient

@Suite("Batch outcome")
struct BatchOutcomeTests {
    @Test("all who wait learn the offset, and so does who comes late")
    func resolved() async throws {
        let outcome = BatchOutcome()
        let offsets = try await withThrowingTaskGroup(of: Offset.self) { group in
            for _ in 0..<10 { group.addTask { try await outcome.baseOffset() } }
            outcome.resolve(.success(7))
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(offsets == Array(repeating: 7, count: 10))
        #expect(try await outcome.baseOffset() == 7)
    }

    @Test("only the first word counts")
    func firstWord() async throws {
        let outcome = BatchOutcome()
        outcome.resolve(.success(1))
        outcome.resolve(.failure(CordwoodError(.closed, "too late")))
        #expect(try await outcome.baseOffset() == 1)
    }

    @Test("who waits and is cancelled leaves, and the others wait on")
    func cancelled() async throws {
        let outcome = BatchOutcome()
        let cancelled = Task { try await outcome.baseOffset() }
        let patient = Task { try await outcome.baseOffset() }
        cancelled.cancel()
        await #expect(throws: CordwoodError(.cancelled, "the wait for a record was cancelled")) {
            try await cancelled.value
        }
        outcome.resolve(.success(3))
        #expect(try await patient.value == 3)
    }

    @Test("a delivery counts from its batch's first offset")
    func delivery() async throws {
        let outcome = BatchOutcome()
        outcome.resolve(.success(40))
        let delivery = Delivery(outcome: outcome, topic: "t", partition: 1, offsetDelta: 2)
        #expect(try await delivery.metadata == RecordMetadata(topic: "t", partition: 1, offset: 42))
    }
}
