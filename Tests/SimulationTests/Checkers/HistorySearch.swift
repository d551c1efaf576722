// SPDX-License-Identifier: Apache-2.0

import Records
import Simulation

/// Looks for a linearization the hard way.
///
/// It is a moment for each append, within its time, so that everybody was told the truth and the log
/// ends as the final log.
///
/// Knows nothing of anomalies. For histories of a few operations and a final log from offset 0.
struct HistorySearch {
    struct State {
        var log: [UInt64] = []
        /// The lengths that the log had.
        var lengths: Set<Int64> = [0]
        var applied: Set<Int> = []
        /// Linearizable reads under way: the lengths that the log had since they began.
        var open: [Int: Set<Int64>] = [:]
    }

    let history: History
    let finalLog: FinalLog
    /// Operations by their events, in order.
    private let events: [(operation: Int, isEnd: Bool)]

    static func isLinearizable(_ history: History, finalLog: FinalLog) -> Bool {
        HistorySearch(history, finalLog).search(0, State())
    }

    private init(_ history: History, _ finalLog: FinalLog) {
        self.history = history
        self.finalLog = finalLog
        var events: [(event: Int, operation: Int, isEnd: Bool)] = []
        for (number, operation) in history.operations.enumerated() {
            events.append((operation.begin, number, false))
            if operation.isComplete { events.append((operation.end, number, true)) }
        }
        self.events = events.sorted { $0.event < $1.event }.map { ($0.operation, $0.isEnd) }
    }

    /// Tries all that can happen before an event, then the event.
    private func search(_ event: Int, _ state: State) -> Bool {
        if event == events.count, state.log == finalLog.values { return true }
        if event < events.count, let next = after(event, state), search(event + 1, next) {
            return true
        }
        for (number, operation) in history.operations.enumerated() {
            let hasBegun = event == events.count || operation.begin < begin(of: event)
            if hasBegun, let next = applying(number, operation, state), search(event, next) {
                return true
            }
        }
        return false
    }

    private func begin(of event: Int) -> Int {
        let operation = history.operations[events[event].operation]
        return events[event].isEnd ? operation.end : operation.begin
    }

    /// The log with one more append, unless it cannot become the final log then.
    private func applying(_ number: Int, _ operation: HistoryOperation, _ state: State) -> State? {
        guard case .append(let values, _, let outcome) = operation.kind, outcome != .failed,
            !state.applied.contains(number)
        else { return nil }
        if case .acknowledged(let base, _) = outcome, base.rawValue != Int64(state.log.count) {
            return nil
        }
        var next = state
        next.applied.insert(number)
        next.log += Array(values)
        guard finalLog.values.starts(with: next.log) else { return nil }
        next.lengths.insert(Int64(next.log.count))
        for read in Array(next.open.keys) { next.open[read]?.insert(Int64(next.log.count)) }
        return next
    }

    /// The state behind an event; nil if somebody is told what is not true.
    private func after(_ event: Int, _ state: State) -> State? {
        let number = events[event].operation
        var next = state
        switch history.operations[number].kind {
        case .append(_, _, .acknowledged):
            return !events[event].isEnd || state.applied.contains(number) ? state : nil
        case .append: return state
        case .endRead(_, let isLinearizable, let end):
            if !events[event].isEnd {
                next.open[number] = [Int64(state.log.count)]
                return next
            }
            let lengths = isLinearizable ? next.open.removeValue(forKey: number) : state.lengths
            return lengths?.contains(end.rawValue) ?? false ? next : nil
        case .poll(_, _, _, let range):
            guard events[event].isEnd else { return state }
            let isTrue = history.records[range].allSatisfy {
                $0.offset >= .zero && $0.offset.rawValue < Int64(state.log.count)
                    && state.log[Int($0.offset.rawValue)] == $0.value
            }
            return isTrue ? state : nil
        }
    }
}
