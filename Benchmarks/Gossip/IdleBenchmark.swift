// SPDX-License-Identifier: Apache-2.0

import Foundation
import Membership
import SerfCore

/// One member of 25, LAN profile, nothing to do.
enum IdleBenchmark {
    private static let others = 24

    static func run(seconds: Int) async throws -> [Outcome] {
        let neighbours = try Neighbours.start(others)
        // Before the first node: threads of NIO that it starts are counted as the node's.
        let residentBefore = try Usage.kibibytes("VmRSS")
        let privateBefore = try Usage.kibibytes("RssAnon")

        var settings = try Neighbours.settings(others + 1, isEncrypted: false)
        settings.seeds = [Neighbours.seed]
        let node = SerfNode(settings, logger: Neighbours.silent)
        try await node.start()
        try await eventually("all are in view") {
            try await node.statistics.members[.alive] == others + 1
        }
        // The news of the join goes around for a while.
        try await eventually("nothing is left to say") {
            try await node.statistics.queueDepths.values.allSatisfy { $0 == 0 }
        }
        let before = try await node.statistics
        let began = Usage.processorSeconds()
        try await Task.sleep(for: .seconds(seconds))
        let used = Usage.processorSeconds() - began
        let after = try await node.statistics
        let resident = try Usage.kibibytes("VmRSS") - residentBefore
        let anonymous = try Usage.kibibytes("RssAnon") - privateBefore
        await node.close()
        let said = neighbours.stop().split(separator: " ").compactMap { Double($0) }
        guard said.count == 2 else { throw BenchmarkError.neighboursEnded }

        func rate(_ figure: (NodeStatistics) -> Int) -> String {
            let perSecond = Double(figure(after) - figure(before)) / Double(seconds)
            return "\((perSecond * 10).rounded() / 10)"
        }
        let packets =
            "\(rate { $0.sockets.packetsReceived }) packets/s in, "
            + "\(rate { $0.sockets.packetsSent }) out"
        return [
            Outcome(
                name: "an idle member of 25, of one core", value: 100 * used / Double(seconds),
                unit: "%", bound: 0.5,
                detail: "\(packets); \(seconds) s; the other 24: "
                    + "\((said[1] / Double(seconds) / 24 * 1e5).rounded() / 1e3) % each"),
            Outcome(
                name: "an idle member of 25, memory", value: anonymous / 1024, unit: "MiB",
                bound: 2,
                detail: "no mapped file; with the program's pages that it touches first, "
                    + "\(Int(resident)) KiB"),
            Outcome(
                name: "members that failed meanwhile", value: said[0], unit: "", bound: 0,
                detail: "seen by any of the 24"),
        ]
    }
}
