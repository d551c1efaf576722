// SPDX-License-Identifier: Apache-2.0

/// What a history shows of one offset.
struct OffsetCell {
    /// Stands for an operation where there is none.
    static let nobody: Int32 = -2
    /// Stands for the final log among the readers.
    static let finalLog: Int32 = -1

    /// The value of the first append that was acknowledged here, and that append.
    var acknowledgedValue: UInt64 = 0
    var acknowledgedBy = Self.nobody
    /// The value that was first read here, who read it, and the append it is of.
    var readValue: UInt64 = 0
    var readBy = Self.nobody
    var readAppend = Self.nobody
    /// A poll returned the acknowledged value.
    var wasPolled = false
    var isReported = false
}

/// The cells of all offsets that a history speaks of.
///
/// Offsets of a sound log lie close together and have a place in an array. A broken one may name any
/// offset at all; such strays are kept apart, so that they cost no memory for what lies between.
struct OffsetTable {
    private let origin: Int64
    private var cells: [OffsetCell]
    private var strays: [Int64: Int] = [:]
    private let denseCount: Int

    /// - Parameters:
    ///   - origin: The lowest offset that is likely.
    ///   - count: How many offsets from there on get a place in the array.
    init(origin: Int64, count: Int) {
        self.origin = origin
        denseCount = count
        cells = Array(repeating: OffsetCell(), count: count)
    }

    /// The number of an offset's cell.
    mutating func number(of offset: Int64) -> Int {
        let distance = offset &- origin
        if offset >= origin, distance >= 0, distance < Int64(denseCount) { return Int(distance) }
        if let known = strays[offset] { return known }
        strays[offset] = cells.count
        cells.append(OffsetCell())
        return cells.count - 1
    }

    subscript(number: Int) -> OffsetCell {
        get { cells[number] }
        set { cells[number] = newValue }
        _modify { yield &cells[number] }
    }
}

/// Finds the append that carries a value.
struct ValueIndex {
    private var lower: [UInt64] = []
    private var upper: [UInt64] = []
    private var append: [Int32] = []

    init(_ history: History) {
        var entries: [(values: Range<UInt64>, append: Int32)] = []
        for (number, operation) in history.operations.enumerated() {
            if case .append(let values, _, _) = operation.kind {
                entries.append((values, Int32(number)))
            }
        }
        entries.sort { $0.values.lowerBound < $1.values.lowerBound }
        for entry in entries {
            if let last = upper.last {
                precondition(
                    last <= entry.values.lowerBound,
                    "value \(entry.values.lowerBound) is used twice")
            }
            lower.append(entry.values.lowerBound)
            upper.append(entry.values.upperBound)
            append.append(entry.append)
        }
    }

    /// The number of the append that carries a value, and the place of the value in it.
    func find(_ value: UInt64) -> (append: Int32, place: Int64)? {
        var first = 0
        var last = lower.count
        while first < last {
            let middle = (first + last) / 2
            if lower[middle] <= value { first = middle + 1 } else { last = middle }
        }
        guard first > 0, value < upper[first - 1] else { return nil }
        return (append[first - 1], Int64(value - lower[first - 1]))
    }
}
