// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

/// Whether all nodes of two tables can speak with each other.
///
/// ```
///   what the living can speak:   ├─────────┤
///                                     ├──────────┤
///   all of them:                      ├────┤        every node has to speak one of these,
///                                  lowest  highest   the dead included
/// ```
struct VersionCheck {
    private var swim = Common()
    private var serf = Common()

    private struct Common {
        var lowest: UInt8 = 0
        var highest = UInt8.max

        mutating func narrow(from least: UInt8, to most: UInt8) {
            lowest = max(lowest, least)
            highest = min(highest, most)
        }

        func holds(_ version: UInt8) -> Bool { lowest <= version && version <= highest }
    }

    /// Takes note of what a node that is alive can speak.
    mutating func narrow(to versions: Versions) {
        swim.narrow(from: versions.swimMin, to: versions.swimMax)
        serf.narrow(from: versions.serfMin, to: versions.serfMax)
    }

    /// What is wrong with what a node speaks, or `nil`.
    func refusal(of node: String, _ versions: Versions) -> String? {
        guard swim.holds(versions.swimCurrent) else {
            return "\(node) speaks protocol \(versions.swimCurrent) of memberlist, where"
                + " \(swim.lowest) to \(swim.highest) is common"
        }
        guard serf.holds(versions.serfCurrent) else {
            return "\(node) speaks protocol \(versions.serfCurrent) of Serf, where"
                + " \(serf.lowest) to \(serf.highest) is common"
        }
        return nil
    }
}
