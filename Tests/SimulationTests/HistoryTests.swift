// SPDX-License-Identifier: Apache-2.0

import Simulation
import Testing

@Suite("Seeded histories of a log on a failing disk")
struct HistoryTests {
    @Test("keep all that was acknowledged, and everything rare happens in them")
    func hold() throws {
        let summary = try Simulator.run(seeds: 1..<161, steps: 120)
        for (name, count) in summary.counts.lines {
            #expect(count > 0, "never in any history: \(name)")
        }
    }

    @Test("of many steps hold as well")
    func holdLong() throws {
        _ = try Simulator.run(seeds: 5000..<5004, steps: 1500)
    }

    @Test("have the same effects in another process, and others for another seed")
    func repeatInOtherProcess() async throws {
        let first = try await digestElsewhere()
        let second = try await digestElsewhere()
        #expect(first == second)
        #expect(first == Self.digest(seeds: 900..<920))
        #expect(first != Self.digest(seeds: 901..<921))
    }

    @Test("find each bug that is put in", arguments: Sabotage.allCases)
    func findSabotage(_ sabotage: Sabotage) {
        #expect(throws: HistoryFailure.self, "no history found \(sabotage)") {
            _ = try Simulator.run(seeds: 1..<300, steps: 120, sabotage: sabotage)
        }
    }

    @Test(
        "find bugs in what is remembered of producers within twenty seeds",
        arguments: [
            Sabotage.forgetsProducers, .acknowledgesDuplicatesAtOnce, .remembersFourBatches,
        ])
    func findForgetfulness(_ sabotage: Sabotage) {
        #expect(throws: HistoryFailure.self, "no history found \(sabotage)") {
            _ = try Simulator.run(seeds: 1..<21, steps: 120, sabotage: sabotage)
        }
    }

    @Test("that acknowledge before the sync are caught at the next power cut or end")
    func findEarlyAcknowledgement() throws {
        var failure: HistoryFailure?
        do throws(HistoryFailure) {
            _ = try Simulator.run(seeds: 1..<200, steps: 120, sabotage: .acknowledgesAtWrite)
        } catch {
            failure = error
        }
        let found = try #require(failure)
        #expect(found.message.contains("had acknowledged up to"))
        #expect(found.lastSteps.contains { $0.contains("powerCut") })
        // The same seed shows it again, at the same step.
        #expect(throws: HistoryFailure.self) {
            _ = try Simulator.run(
                seeds: found.seed..<(found.seed + 1), steps: 120, sabotage: .acknowledgesAtWrite)
        }
        #expect(found.description.contains("seed \(found.seed) failed at step \(found.step)"))
    }

    private static func digest(seeds: Range<UInt64>) -> String {
        do throws(HistoryFailure) {
            return String(try Simulator.run(seeds: seeds, steps: 80).digest, radix: 16)
        } catch {
            return "\(error)"
        }
    }

    private func digestElsewhere() async throws -> String {
        let result = try #require(
            await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
                // Framed, since the test library may print around it.
                print("<digest>\(HistoryTests.digest(seeds: 900..<920))</digest>")
            })
        let output = String(decoding: result.standardOutputContent, as: UTF8.self)
        let parts = output.split(separator: "<digest>").last?.split(separator: "</digest>")
        return String(try #require(parts?.first))
    }
}
