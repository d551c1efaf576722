// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import Foundation
import Records

/// A thousand groups on three nodes: what they cost at rest, and how soon they are led again.
struct GroupBenchmarks {
    let root: String
    private let count = 1000

    func thousand() async throws -> [Outcome] {
        let nodes = try await BenchmarkCluster(root, nodes: 3, groups: count)
        // Until all have fallen quiet.
        try await Task.sleep(for: .seconds(4))
        let before = Self.processSeconds()
        let messages = nodes.cluster.messageCount
        let seconds = try await Measure.asyncSeconds { try await Task.sleep(for: .seconds(10)) }
        let idle = (Self.processSeconds() - before) / seconds
        let idleMessages = nodes.cluster.messageCount - messages
        // The node with the most leaders is the worst to lose.
        let leaders = (0..<count).compactMap { nodes.cluster.leader(of: $0) }
        let lost =
            (0..<3).max { one, other in
                leaders.count { $0 == one } < leaders.count { $0 == other }
            } ?? 0
        let cutMessages = nodes.cluster.messageCount
        nodes.cluster.cut(lost)
        let elected = try await Measure.asyncSeconds { try await nodes.waitForLeaders() }
        let electionMessages = nodes.cluster.messageCount - cutMessages
        await nodes.close()
        return [
            Outcome(
                name: "1,000 quiet groups on three nodes", value: idle * 100, unit: "% of a core",
                bound: 1, isCeiling: true,
                detail: "\(Int(Double(idleMessages) / seconds)) messages a second in all"),
            Outcome(
                name: "1,000 groups, a node is cut off: all led again", value: elected, unit: "s",
                bound: 3, isCeiling: true,
                detail: "\(leaders.count { $0 == lost }) lost their leader; "
                    + "\(electionMessages) messages"),
        ]
    }

    /// Processor time of this process so far.
    private static func processSeconds() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
