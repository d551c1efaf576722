// SPDX-License-Identifier: Apache-2.0

internal import Records

// Which value is at which offset, by all that was acknowledged and read, and from that where each
// append is.
extension HistoryChecker {
    /// Takes the places that acknowledgements name.
    mutating func placeAcknowledged() {
        for (number, operation) in history.operations.enumerated() {
            guard case .append(let values, _, .acknowledged(let base, _)) = operation.kind
            else { continue }
            let append = Int32(number)
            bases[number] = base.rawValue
            basesBy[number] = append
            for (place, value) in values.enumerated() {
                let offset = base.rawValue &+ Int64(place)
                let cell = table.number(of: offset)
                if table[cell].acknowledgedBy == OffsetCell.nobody {
                    table[cell].acknowledgedBy = append
                    table[cell].acknowledgedValue = value
                } else if !table[cell].isReported {
                    table[cell].isReported = true
                    report(.offsetReused, [table[cell].acknowledgedBy, append], offset: offset)
                }
            }
        }
        // From here on the mark says that another value was read.
        forgetReports()
    }

    private mutating func forgetReports() {
        for (number, operation) in history.operations.enumerated() {
            guard case .append(let values, _, .acknowledged) = operation.kind else { continue }
            for place in 0..<Int64(values.count) {
                table[table.number(of: bases[number] &+ place)].isReported = false
            }
        }
    }

    /// Reads the final log, as a reader who comes when all is over.
    mutating func placeFinalLog() {
        guard let finalLog else { return }
        for (place, value) in finalLog.values.enumerated() {
            read(finalLog.start.rawValue + Int64(place), value, OffsetCell.finalLog, endedAt: .max)
            if let found = values.find(value) { finalCounts[Int(found.append)] += 1 }
        }
    }

    /// Reads what the polls returned.
    mutating func placePolls() {
        for (number, operation) in history.operations.enumerated() {
            guard case .poll(_, _, _, let range) = operation.kind, operation.isComplete
            else { continue }
            for record in history.records[range] {
                let offset = record.offset.rawValue
                read(offset, record.value, Int32(number), endedAt: operation.end)
                let cell = table.number(of: offset)
                if table[cell].acknowledgedValue == record.value {
                    table[cell].wasPolled = true
                } else if table[cell].acknowledgedBy >= 0 {
                    polledOthers.insert(record)
                }
            }
        }
    }

    /// Takes one record that somebody read.
    private mutating func read(
        _ offset: Int64, _ value: UInt64, _ reader: Int32, endedAt event: Int
    ) {
        let number = table.number(of: offset)
        let cell = table[number]
        if cell.readBy != OffsetCell.nobody, cell.readValue == value {
            if cell.readAppend >= 0 { checkBegun(cell.readAppend, value, reader, event) }
            return
        }
        let found = values.find(value)
        if cell.readBy == OffsetCell.nobody {
            table[number].readBy = reader
            table[number].readValue = value
            table[number].readAppend = found?.append ?? OffsetCell.nobody
        } else if !cell.isReported {
            table[number].isReported = true
            report(.inconsistentOffset, [cell.readBy, reader], offset: offset, value: value)
        }
        if cell.acknowledgedBy >= 0, cell.acknowledgedValue != value, !table[number].isReported {
            table[number].isReported = true
            report(
                .inconsistentOffset, [cell.acknowledgedBy, reader], offset: offset, value: value)
        }
        guard let found else {
            if phantoms.insert(value).inserted {
                report(.phantomRead, [reader], offset: offset, value: value)
            }
            return
        }
        checkBegun(found.append, value, reader, event)
        place(found.append, at: offset &- found.place, reader, offset)
    }

    /// A value is read only of an append that has begun and has not failed.
    private mutating func checkBegun(
        _ append: Int32, _ value: UInt64, _ reader: Int32, _ event: Int
    ) {
        let number = Int(append)
        if history.operations[number].begin > event, !reported[number].contains(.early) {
            reported[number].insert(.early)
            report(.phantomRead, [reader, append], value: value)
        }
        if case .append(_, _, .failed) = history.operations[number].kind,
            !reported[number].contains(.aborted)
        {
            reported[number].insert(.aborted)
            report(.abortedRead, [reader, append], value: value)
        }
    }

    /// An append is at one place.
    private mutating func place(
        _ append: Int32, at base: Int64, _ reader: Int32, _ offset: Int64
    ) {
        let number = Int(append)
        if bases[number] == Self.nowhere {
            bases[number] = base
            basesBy[number] = reader
        } else if bases[number] != base, !reported[number].contains(.duplicate) {
            reported[number].insert(.duplicate)
            let first = basesBy[number] == append ? OffsetCell.nobody : basesBy[number]
            report(.duplicate, [first, reader, append], offset: offset)
        }
    }
}
