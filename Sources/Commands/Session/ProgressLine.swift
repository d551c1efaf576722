// SPDX-License-Identifier: Apache-2.0

/// One line that says how far long work is.
struct ProgressLine: Equatable {
    /// What is counted.
    enum Unit {
        case bytes
        case records
    }

    var done: Int
    /// `nil` where it is not known.
    var total: Int?
    var unit: Unit
    var elapsed: Duration

    /// The line, in so many columns at most.
    func text(width: Int) -> String {
        let seconds = elapsed.seconds
        let rate = seconds > 0.2 ? "  \(amount(Double(done) / seconds))/s" : ""
        guard let total, total > 0 else {
            return String("\(amount(Double(done)))\(rate)".prefix(max(0, width)))
        }
        let fraction = min(1, Double(done) / Double(total))
        let percent = "\(Int(fraction * 100))".leftPadded(to: 3)
        var tail = " \(percent)%  \(amount(Double(done))) of \(amount(Double(total)))\(rate)"
        if fraction > 0, fraction < 1, seconds > 1 {
            let left = Duration.seconds(seconds / fraction * (1 - fraction))
            tail += "  \(HumanText.duration(left)) left"
        }
        let room = min(30, width - tail.count - 2)
        guard room >= 5 else { return String(tail.dropFirst().prefix(max(0, width))) }
        let filled = Int(fraction * Double(room))
        let bar =
            String(repeating: "█", count: filled) + String(repeating: "░", count: room - filled)
        return bar + tail
    }

    private func amount(_ value: Double) -> String {
        switch unit {
        case .bytes: HumanText.bytes(value)
        case .records: "\(HumanText.count(value)) records"
        }
    }
}
