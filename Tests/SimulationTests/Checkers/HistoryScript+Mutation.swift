// SPDX-License-Identifier: Apache-2.0

import Bytes
import Records
import Simulation

/// Changes one thing of a script that a correct log would perhaps not have done.
extension HistoryScript {
    mutating func mutate(_ generator: inout SplitMix64) {
        guard !kinds.isEmpty else { return }
        switch Int.random(in: 0..<10, using: &generator) {
        case 0, 1, 2: mutateFinalLog(&generator)
        case 3: moveEvent(&generator)
        default:
            let place = kinds.indices.randomElement(using: &generator) ?? 0
            kinds[place] = Self.mutated(kinds[place], &generator)
        }
    }

    private mutating func mutateFinalLog(_ generator: inout SplitMix64) {
        guard let log = finalLog, !log.values.isEmpty else { return }
        var values = log.values
        let place = values.indices.randomElement(using: &generator) ?? 0
        let other = values.indices.randomElement(using: &generator) ?? 0
        switch Int.random(in: 0..<7, using: &generator) {
        case 0: values.remove(at: place)
        case 6: values.removeAll { wholeAppend(of: log.values[place]).contains($0) }
        case 1: values.removeLast(min(values.count, 1 + place % 3))
        case 2: values.swapAt(place, other)
        case 3: values.insert(values[other], at: place)
        case 4: values[place] = 7
        default: values[place] = values[other]
        }
        finalLog = FinalLog(start: log.start, values: values)
    }

    private func wholeAppend(of value: UInt64) -> Range<UInt64> {
        for case .append(let values, _, _) in kinds where values.contains(value) { return values }
        return value..<value
    }

    /// Moves an event, but no end before its beginning.
    private mutating func moveEvent(_ generator: inout SplitMix64) {
        guard let from = events.indices.randomElement(using: &generator) else { return }
        let event = events.remove(at: from)
        let partner = events.firstIndex { $0.operation == event.operation }
        let range =
            event.isEnd
            ? (partner.map { $0 + 1 } ?? 0)...events.count : 0...(partner ?? events.count)
        events.insert(event, at: Int.random(in: range, using: &generator))
    }

    private static func mutated(_ kind: Kind, _ generator: inout SplitMix64) -> Kind {
        let delta = Int64.random(in: -3...3, using: &generator)
        switch kind {
        case .append(let values, var sequence, var outcome):
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                if let old = sequence { sequence?.first = max(0, old.first + delta) }
            case 1:
                outcome = [.failed, .unknown].randomElement(using: &generator) ?? .failed
            case 2:
                if case .acknowledged(let base, let term) = outcome {
                    outcome = .acknowledged(Offset(base.rawValue + delta), term)
                }
            default:
                if case .acknowledged(let base, let term) = outcome {
                    outcome = .acknowledged(
                        base, Term(UInt64(max(0, Int64(term.rawValue) + delta))))
                } else {
                    outcome = .acknowledged(
                        Offset(Int64.random(in: 0...9, using: &generator)), Term(1))
                }
            }
            return .append(values: values, sequence: sequence, outcome: outcome)
        case .poll(let from, let isSeek, let records):
            if Int.random(in: 0..<4, using: &generator) == 0 {
                return .poll(from: from + delta, isSeek: isSeek, records: records)
            }
            return .poll(
                from: from, isSeek: isSeek, records: mutated(records, delta, &generator))
        case .endRead(let isLinearizable, let end):
            return .endRead(isLinearizable: isLinearizable, end: end + delta)
        }
    }

    private static func mutated(
        _ old: [SeenRecord], _ delta: Int64, _ generator: inout SplitMix64
    ) -> [SeenRecord] {
        var records = old
        guard let place = records.indices.randomElement(using: &generator) else {
            return [SeenRecord(Offset(max(0, delta)), 100)]
        }
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: records[place].offset = Offset(records[place].offset.rawValue + delta)
        case 1: records[place].value = UInt64(Int64(records[place].value) + delta)
        case 2: records[place].value = 8
        case 3: records.remove(at: place)
        case 4: records.append(records[place])
        default: records.shuffle(using: &generator)
        }
        return records
    }
}
