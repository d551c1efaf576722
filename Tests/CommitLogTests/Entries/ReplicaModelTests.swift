// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("A replica's log beside a list of entries")
struct ReplicaModelTests {
    /// `SEED=n` repeats one history; otherwise these are new each time.
    private static let seeds: [UInt64] = {
        if let seed = ProcessInfo.processInfo.environment["SEED"].flatMap(UInt64.init) {
            return [seed]
        }
        let count = ProcessInfo.processInfo.environment["SEEDS"].flatMap(Int.init) ?? 30
        let first = UInt64.random(in: 0..<1_000_000_000)
        return (0..<UInt64(count)).map { first + $0 }
    }()

    @Test("is the same after any sequence of calls and crashes")
    func histories() throws {
        print("seeds \(Self.seeds.first ?? 0) to \(Self.seeds.last ?? 0)")
        for seed in Self.seeds {
            var model = try ReplicaModel(seed: seed)
            do {
                try model.run(steps: 150)
            } catch {
                let trace = model.trace.suffix(25).joined(separator: "\n")
                Issue.record("SEED=\(seed), step \(model.steps): \(error)\n\(trace)")
                return
            }
        }
    }
}
