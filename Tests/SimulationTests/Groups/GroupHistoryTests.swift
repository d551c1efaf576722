// SPDX-License-Identifier: Apache-2.0

import Simulation
import Testing

@Suite("Seeded histories of consumer groups")
struct GroupHistoryTests {
    @Test("keep every promise, and everything rare happens in them")
    func hold() throws {
        let summary = try GroupSimulator.run(seeds: 1..<101)
        for (name, count) in summary.counts.lines {
            #expect(count > 0, "never in any history: \(name)")
        }
    }

    @Test("have the same effects in another process, and others for another seed")
    func repeatInOtherProcess() async throws {
        let first = try await digestElsewhere()
        let second = try await digestElsewhere()
        #expect(first == second)
        #expect(first == Self.digest(seeds: 900..<920))
        #expect(first != Self.digest(seeds: 901..<921))
    }

    @Test("find each bug that is put in within 40 seeds", arguments: GroupSabotage.allCases)
    func findSabotage(_ sabotage: GroupSabotage) {
        #expect(throws: HistoryFailure.self, "no history found \(sabotage)") {
            _ = try GroupSimulator.run(seeds: 1..<41, sabotage: sabotage)
        }
    }

    @Test("name what was broken, and show it again")
    func failuresRepeat() throws {
        let expected: [(GroupSabotage, String)] = [
            (.keepsGeneration, "two owners in generation"),
            (.takesAnyCommit, "a commit of generation"),
            (.answersBeforeDurable, "after a restart"),
            (.forgetsFencing, "whom another replaced"),
            (.ignoresHeartbeats, "is taken for dead"),
            (.replaysNoOffsets, "after a restart"),
        ]
        for (sabotage, message) in expected {
            // A bug may show in other ways first.
            let found = try #require(
                (1..<41).lazy.compactMap { Self.failure(seed: $0, sabotage) }
                    .first { $0.message.contains(message) }, "\(sabotage)")
            let again = try #require(Self.failure(seed: found.seed, sabotage))
            #expect(again.step == found.step && again.message == found.message)
            #expect(again.description.contains("seed \(found.seed) failed at step \(found.step)"))
        }
    }

    private static func failure(seed: UInt64, _ sabotage: GroupSabotage) -> HistoryFailure? {
        do throws(HistoryFailure) {
            _ = try GroupSimulator.run(seeds: seed..<(seed + 1), sabotage: sabotage)
            return nil
        } catch {
            return error
        }
    }

    private static func digest(seeds: Range<UInt64>) -> String {
        do throws(HistoryFailure) {
            return String(try GroupSimulator.run(seeds: seeds).digest, radix: 16)
        } catch {
            return "\(error)"
        }
    }

    private func digestElsewhere() async throws -> String {
        let result = try #require(
            await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
                // Framed, since the test library may print around it.
                print("<digest>\(GroupHistoryTests.digest(seeds: 900..<920))</digest>")
            })
        let output = String(decoding: result.standardOutputContent, as: UTF8.self)
        let parts = output.split(separator: "<digest>").last?.split(separator: "</digest>")
        return String(try #require(parts?.first))
    }
}
