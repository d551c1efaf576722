// SPDX-License-Identifier: Apache-2.0

internal import Records

/// Says what in a history no correct log could have done.
///
/// An append returns its position, so there is no order to search for: the positions are the order,
/// and it is enough to hold them to real time and to what readers saw. A history with its final log
/// that has no anomaly of appends and end reads is linearizable; `HistorySearch` of the tests, which
/// does search, agrees. Cost: n log n for sorting producers' and terms' views, the rest is linear.
///
/// ```
/// acknowledgements, final log, polls ──▶ OffsetTable   what is at each offset, where each append is
/// events in real time ─────────────────▶ provenEnd     what everybody who begins now must respect
/// producers ───────────────────────────▶ sequences     in order, none twice, none missing
/// ```
public struct HistoryChecker {
    /// The sign of an append whose place nobody told.
    static let nowhere = Int64.min

    let history: History
    let finalLog: FinalLog?
    let values: ValueIndex
    let kindMax: Int
    var table: OffsetTable
    /// By operation: where the append begins, and who said so.
    var bases: [Int64]
    var basesBy: [Int32]
    /// By operation: how many records of the append the final log has.
    var finalCounts: [Int32]
    /// By operation: what was already reported of it.
    var reported: [Reported]
    var phantoms: Set<UInt64> = []
    /// What polls returned where another value was acknowledged first.
    var polledOthers: Set<SeenRecord> = []
    var anomalies: [Anomaly] = []
    private var counts: [Int]

    struct Reported: OptionSet {
        var rawValue: UInt8
        static let duplicate = Reported(rawValue: 1)
        static let aborted = Reported(rawValue: 2)
        static let early = Reported(rawValue: 4)
        static let dirty = Reported(rawValue: 8)
        static let skip = Reported(rawValue: 16)
        static let nonMonotonic = Reported(rawValue: 32)
    }

    /// Checks a history.
    ///
    /// - Parameters:
    ///   - finalLog: The committed records when all was over; without them no loss can be told.
    ///   - allWereRead: Whether some consumer must have got every record that is in the final log.
    ///   - kindMax: How many anomalies of one kind are returned at most.
    /// - Returns: The anomalies, each named once; empty if the log was correct.
    public static func check(
        _ history: History, finalLog: FinalLog? = nil, allWereRead: Bool = false,
        kindMax: Int = 100
    ) -> [Anomaly] {
        var checker = HistoryChecker(history, finalLog: finalLog, kindMax: kindMax)
        checker.placeAcknowledged()
        checker.placeFinalLog()
        checker.placePolls()
        checker.replay()
        checker.checkFinalLog()
        if allWereRead { checker.checkAllWereRead() }
        checker.checkTerms()
        checker.checkSequences()
        return checker.anomalies
    }

    private init(_ history: History, finalLog: FinalLog?, kindMax: Int) {
        self.history = history
        self.finalLog = finalLog
        self.kindMax = kindMax
        values = ValueIndex(history)
        let extent = Self.extent(of: history, finalLog)
        table = OffsetTable(origin: extent.origin, count: extent.count)
        let count = history.operations.count
        bases = Array(repeating: Self.nowhere, count: count)
        basesBy = Array(repeating: OffsetCell.nobody, count: count)
        finalCounts = Array(repeating: 0, count: count)
        reported = Array(repeating: [], count: count)
        counts = Array(repeating: 0, count: Anomaly.Kind.allCases.count)
    }

    /// Where the offsets of a history begin, and how many of them deserve an array.
    ///
    /// No more than twice as many as records were seen, whatever a broken log says of them.
    private static func extent(
        of history: History, _ finalLog: FinalLog?
    ) -> (origin: Int64, count: Int) {
        var origin = finalLog?.start.rawValue ?? .max
        var last = finalLog?.end.rawValue ?? 0
        var seen = (finalLog?.values.count ?? 0) + history.records.count
        for operation in history.operations {
            guard case .append(let values, _, .acknowledged(let base, _)) = operation.kind,
                base >= .zero
            else { continue }
            seen += values.count
            origin = min(origin, base.rawValue)
            last = max(last, end(of: base, values))
        }
        for record in history.records where record.offset >= .zero {
            origin = min(origin, record.offset.rawValue)
            last = max(last, record.offset.rawValue)
        }
        guard last >= origin else { return (0, 0) }
        return (origin, Int(min(last - origin, Int64(2 * seen + 1024))))
    }

    /// The offset behind an append; a base near the end of numbers comes from a broken log.
    static func end(of base: Offset, _ values: Range<UInt64>) -> Int64 {
        let (end, isTooFar) = base.rawValue.addingReportingOverflow(Int64(values.count))
        return isTooFar ? .max : end
    }

    /// Notes an anomaly, unless there are enough of its kind.
    ///
    /// - Parameter operations: Numbers of operations; those that stand for none are left out.
    mutating func report(
        _ kind: Anomaly.Kind, _ operations: [Int32], offset: Int64? = nil, value: UInt64? = nil
    ) {
        guard let place = Anomaly.Kind.allCases.firstIndex(of: kind), counts[place] < kindMax
        else { return }
        counts[place] += 1
        anomalies.append(
            Anomaly(
                kind, operations.filter { $0 >= 0 }.map { OperationID(Int($0)) },
                offset: offset.map { Offset($0) }, value: value))
    }
}
