// SPDX-License-Identifier: Apache-2.0

// The figures as a table, one line each: what was measured, and in brackets what is predicted.
extension GossipFigures {
    private static let widths = [5, 6, 12, 18, 14, 10, 10, 10, 7, 17, 9, 9, 8]

    /// The table's first line.
    public static var heading: String {
        line([
            "nodes", "loss %", "join s", "event rounds", "periods", "suspect s", "failed s",
            "all s", "bad", "bad, no streams", "false", "plain", "idle/s",
        ])
    }

    /// What the columns are.
    public static var legend: [String] {
        [
            "join: from a newcomer's start until all others list it, and the predicted rounds of 0.2 s",
            "event rounds: of gossip, until all have an event: average, most, and predicted "
                + "log(n) to base 1+f, plus ln(n)/f, with f = fan-out without the loss",
            "periods: until somebody probes a given node, and predicted 1/(1-(1-1/(n-1))^(n-1))",
            "suspect, failed, all: from a node's end until it is suspected, failed somewhere, "
                + "failed everywhere",
            "bad: failed probes of 1,000; without streams as in SWIM, with the prediction "
                + "(1-(1-p)^2)(1-(1-p)^4)^3",
            "false: live members failed in an hour of one member, without streams; plain: without "
                + "Lifeguard too",
            "idle: packets that a member sends in a second when nothing happens",
        ]
    }

    /// The table's line for this cluster.
    public var row: String {
        Self.line([
            "\(nodeCount)", "\(lossPercent)",
            "\(Self.short(joinSeconds)) [\(Self.short(joinSecondsPredicted))]",
            "\(Self.short(eventRounds)) \(Self.short(eventRoundsMost)) "
                + "[\(Self.short(predictions.roundsUntilAllKnow))]",
            "\(Self.short(periodsUntilProbed)) [\(Self.short(predictions.periodsUntilProbed))]",
            Self.short(suspectedAfter), Self.short(firstFailedAfter), Self.short(allFailedAfter),
            Self.short(failedProbesPerMille),
            "\(Self.short(bareFailedProbesPerMille)) "
                + "[\(Self.short(predictions.failedProbesPerMille))]",
            Self.short(bareFalseFailuresPerHour), Self.short(plainFalseFailuresPerHour),
            Self.short(idlePacketsPerSecond),
        ])
    }

    private static func line(_ cells: [String]) -> String {
        zip(cells, widths).map { cell, width in
            String(repeating: " ", count: max(0, width - cell.count)) + cell
        }.joined(separator: "  ")
    }

    /// With two digits behind the point, the last one cut.
    private static func short(_ number: Double) -> String {
        let hundredths = Int((number * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
