// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import CordwoodClient

@Suite("Handoff")
struct HandoffTests {
    @Test("elements come in order, and the giver waits for each to be taken")
    func order() async throws {
        let handoff = Handoff<Int>()
        let taken = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for number in 0..<1000 { await handoff.give(number) }
                handoff.finish(.success(()))
            }
            var taken: [Int] = []
            while let number = try await handoff.take() { taken.append(number) }
            return taken
        }
        #expect(taken == Array(0..<1000))
        #expect(try await handoff.take() == nil)
    }

    @Test("a failure comes behind the elements given before")
    func failure() async throws {
        let handoff = Handoff<Int>()
        let failure = CordwoodError(.unreachable, "gone")
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await handoff.give(1)
                handoff.finish(.failure(failure))
            }
            await #expect(throws: Never.self) { try await handoff.take() }
            await #expect(throws: failure) { try await handoff.take() }
        }
    }

    @Test("a giver and a taker that are cancelled leave")
    func cancelled() async {
        let handoff = Handoff<Int>()
        let taker = Task { try await handoff.take() }
        taker.cancel()
        await #expect(throws: CordwoodError.self) { try await taker.value }
        let giver = Task { await handoff.give(1) }
        giver.cancel()
        await giver.value
    }

    @Test("the end reaches all who take")
    func manyTakers() async throws {
        let handoff = Handoff<Int>()
        try await withThrowingTaskGroup(of: Int?.self) { group in
            for _ in 0..<8 { group.addTask { try await handoff.take() } }
            handoff.finish(.success(()))
            for try await element in group { #expect(element == nil) }
        }
    }
}
