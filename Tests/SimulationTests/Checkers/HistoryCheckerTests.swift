// SPDX-License-Identifier: Apache-2.0

import Bytes
import Records
import Simulation
import Testing

@Suite("The history checker")
struct HistoryCheckerTests {
    @Test("accepts every history of a log that does everything right")
    func cleanHistories() {
        for seed in 0..<2000 as Range<UInt64> {
            let readsAll = seed % 2 == 0
            let script = ReferenceLog.script(
                seed: seed, steps: 20 + Int(seed % 200), readsAll: readsAll)
            let history = script.recorded()
            for log in [script.finalLog, nil] {
                let anomalies = HistoryChecker.check(
                    history, finalLog: log, allWereRead: readsAll)
                #expect(
                    anomalies.isEmpty,
                    "seed \(seed): \(anomalies.map(history.explain).joined(separator: "\n"))")
            }
        }
    }

    @Test("finds just what the definitions find, in thousands of spoiled histories")
    func spoiledHistories() {
        var seen: [Anomaly.Kind: Int] = [:]
        for seed in 0..<4000 as Range<UInt64> {
            let readsAll = seed % 4 == 0
            var script = ReferenceLog.script(
                seed: seed, steps: 15 + Int(seed % 60), readsAll: readsAll)
            var generator = SplitMix64(seed: seed ^ 0x5eed)
            for _ in 0...(seed % 4) { script.mutate(&generator) }
            let history = script.recorded()
            let log = seed % 5 == 0 ? nil : script.finalLog
            let found = HistoryChecker.check(
                history, finalLog: log, allWereRead: readsAll, kindMax: .max
            ).map { Finding($0, history) }
            let expected = NaiveChecker.check(history, finalLog: log, allWereRead: readsAll)
            #expect(Set(found) == expected, "seed \(seed)")
            #expect(Set(found).count == found.count, "seed \(seed) names something twice: \(found)")
            for finding in expected { seen[finding.kind, default: 0] += 1 }
        }
        for kind in Anomaly.Kind.allCases {
            #expect(seen[kind, default: 0] > 20, "\(kind.rawValue) was spoiled too seldom")
        }
    }

    /// The kinds that are promises to one consumer or producer, not to all.
    private static let sessions: Set<Anomaly.Kind> = [
        .nonMonotonicPoll, .pollSkip, .sequenceBroken, .sequenceGap, .termFell, .unseen,
    ]

    @Test("accepts just those histories for which a linearization can be found by search")
    func search() {
        var accepted = 0
        for seed in 0..<6000 as Range<UInt64> {
            var script = ReferenceLog.script(
                seed: seed, steps: 12 + Int(seed % 20), recordsMax: 1 + Int(seed % 2),
                readsAll: seed % 2 == 0)
            guard script.kinds.count <= 14, script.finalLog?.start == .zero else { continue }
            var generator = SplitMix64(seed: seed ^ 0xfeed)
            for _ in 0..<(seed % 3) { script.mutate(&generator) }
            guard let log = script.finalLog else { continue }
            let history = script.recorded()
            let anomalies = HistoryChecker.check(history, finalLog: log)
                .filter { !Self.sessions.contains($0.kind) }
            let isLinearizable = HistorySearch.isLinearizable(history, finalLog: log)
            #expect(anomalies.isEmpty == isLinearizable, "seed \(seed): \(anomalies)")
            accepted += isLinearizable ? 1 : 0
        }
        #expect(accepted > 1000)
    }

    @Test("names at most so many anomalies of one kind")
    func limit() {
        var history = History()
        for value in 0..<50 as Range<UInt64> {
            let append = history.beginAppend(client: 1, values: value..<(value + 1), at: 0)
            history.endAppend(append, .acknowledged(Offset(Int64(value)), Term(1)), at: 1)
        }
        let log = FinalLog(start: .zero, values: [])
        #expect(HistoryChecker.check(history, finalLog: log, kindMax: 7).count == 7)
        #expect(HistoryChecker.check(history, finalLog: log).count == 50)
    }

    @Test("takes offsets that no log has without trapping and without memory for them")
    func wildOffsets() {
        var history = History()
        var values: UInt64 = 0
        for base in [Int64.min, -1, 0, 1 << 40, .max - 1, .max] {
            let append = history.beginAppend(client: 1, values: values..<(values + 3), at: 0)
            history.endAppend(append, .acknowledged(Offset(base), Term(1)), at: 1)
            values += 3
            let poll = history.beginPoll(consumer: 2, replica: 1, from: Offset(base), at: 2)
            history.endPoll(poll, records: [SeenRecord(Offset(base), 1)], at: 3)
            let read = history.beginEndRead(client: 3, replica: 1, isLinearizable: true, at: 4)
            history.endEndRead(read, end: Offset(base), at: 5)
        }
        let log = FinalLog(start: .zero, values: [0, 1, 2])
        let kinds = Set(HistoryChecker.check(history, finalLog: log).map(\.kind))
        #expect(kinds.isSuperset(of: [.lostWrite, .dirtyRead, .duplicate]))
    }

    /// Prints its time: a million operations take about half a second in a release build.
    @Test("is near linear")
    func cost() {
        #if DEBUG
            let rounds = 5_000
        #else
            let rounds = 250_000
        #endif
        var history = History()
        var log: [UInt64] = []
        for round in 0..<rounds {
            let time = Int64(round)
            let value = UInt64(round * 5)
            let append = history.beginAppend(
                client: 1, values: value..<(value + 5),
                sequence: ProducerSequence(producer: 1, epoch: 0, first: Int64(log.count)), at: time
            )
            let base = Int64(log.count)
            log += Array(value..<(value + 5))
            history.endAppend(append, .acknowledged(Offset(base), Term(1)), at: time)
            for consumer in [7, 8] as [UInt64] {
                let poll = history.beginPoll(
                    consumer: consumer, replica: 1, from: Offset(base), at: time)
                let records = (0..<5).map { SeenRecord(Offset(base + $0), log[Int(base + $0)]) }
                history.endPoll(poll, records: records, at: time)
            }
            let read = history.beginEndRead(
                client: 1, replica: 1, isLinearizable: true, at: time)
            history.endEndRead(read, end: Offset(Int64(log.count)), at: time)
        }
        let final = FinalLog(start: .zero, values: log)
        let clock = ContinuousClock()
        var anomalies: [Anomaly] = []
        let time = clock.measure {
            anomalies = HistoryChecker.check(history, finalLog: final, allWereRead: true)
        }
        #expect(anomalies.isEmpty)
        print("checked \(history.operations.count) operations in \(time)")
    }
}
