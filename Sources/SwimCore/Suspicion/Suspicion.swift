// SPDX-License-Identifier: Apache-2.0

/// The suspicion of one node: who shares it, and how long it may still be refuted.
///
/// Lifeguard (Dadgar, Phillips, Currey 2018) IV-B: a suspicion that nobody shares waits long, for it
/// may be us who hear nothing; each one who suspects independently shortens the wait.
struct Suspicion: Sendable {
    /// When it began.
    let since: Moment
    let bounds: Bounds
    /// Who suspects: the first one, and those who confirmed it.
    ///
    /// At most `k + 1` names.
    private(set) var suspecters: [String]
    /// Set exactly as long as the node is suspected.
    var timer: TimerQueue<TimerPurpose>.ID

    init(
        since: Moment, bounds: Bounds, from suspecter: String, timer: TimerQueue<TimerPurpose>.ID
    ) {
        self.since = since
        self.bounds = bounds
        self.timer = timer
        suspecters = [suspecter]
    }

    var confirmations: Int { suspecters.count - 1 }

    /// Whether this is news: another one suspects, and that still shortens the wait.
    mutating func confirm(from suspecter: String) -> Bool {
        guard confirmations < bounds.confirmationsMax, !suspecters.contains(suspecter) else {
            return false
        }
        suspecters.append(suspecter)
        return true
    }

    /// When it becomes certain.
    var deadline: Moment { since + bounds.timeout(confirmations: confirmations) }

    /// Between which times a suspicion ends.
    struct Bounds: Sendable, Equatable {
        let shortest: Duration
        let longest: Duration
        /// How many confirmations shorten it to the shortest (Lifeguard's K).
        let confirmationsMax: Int

        /// The bounds in a table of so many nodes, the dead ones included.
        init(nodes: Int, settings: SwimSettings) {
            let factor = max(1000, Logarithm.decimalInThousandths(max(1, nodes)))
            let thousandths = settings.suspicionMult * factor
            shortest = settings.probeInterval * thousandths / 1000
            longest = shortest * settings.suspicionMaxTimeoutMult
            let wanted = settings.suspicionMult - 2
            // Fewer others than that could never confirm it.
            confirmationsMax = nodes - 2 < wanted ? 0 : wanted
        }

        func timeout(confirmations: Int) -> Duration {
            guard confirmations < confirmationsMax else { return shortest }
            let part =
                Logarithm.natural(confirmations + 1) / Logarithm.natural(confirmationsMax + 1)
            let (low, high) = (shortest.inSeconds, longest.inSeconds)
            // Cut to whole milliseconds.
            let milliseconds = Int64(1000 * (high - (high - low) * part))
            return max(shortest, .milliseconds(milliseconds))
        }
    }
}

extension Duration {
    fileprivate var inSeconds: Double { Double(wholeNanoseconds) / 1e9 }
}
