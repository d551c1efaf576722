// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import MetricsTestKit
import SerfCore
import SerfWire
import Testing

@testable import Membership

/// What a node counts, under which names.
@Suite struct MetricsTests {
    private let metrics = TestMetrics()

    private func counter(_ name: String, _ labels: (String, String)...) throws -> Int64 {
        let counter = try metrics.expectCounter(name, [("node", "node")] + labels)
        return counter.totalValue
    }

    private func gauge(_ name: String, _ labels: (String, String)...) throws -> Double? {
        try metrics.expectGauge(name, [("node", "node")] + labels).lastValue
    }

    @Test("members, packets, messages and probes are counted under the names that are documented")
    func names() async throws {
        try await withNode(testSettings("node"), metricsFactory: metrics) { node in
            #expect(try gauge("serf_members", ("status", "alive")) == 1)
            try await withNode(testSettings("other", seeds: [node.address])) { other in
                try await eventually("two members are counted") {
                    try gauge("serf_members", ("status", "alive")) == 2
                }
                try await eventually("a probe is counted") {
                    try counter("serf_probes_total") > 0
                }
                // Whoever does not know yet that it has joined tells nobody that it leaves.
                try await eventuallySeen(node, other)
                try await other.leave()
            }
            try await eventually("one has left") {
                try gauge("serf_members", ("status", "left")) == 1
                    && gauge("serf_members", ("status", "alive")) == 1
            }
            #expect(try gauge("serf_members", ("status", "failed")) == 0)
            #expect(try gauge("serf_members", ("status", "leaving")) == 0)
            #expect(try gauge("serf_health_score") == 0)
            for queue in ["memberlist", "intents", "queries", "events"] {
                #expect(try gauge("serf_queue_depth", ("queue", queue)) != nil)
            }
            for direction in ["in", "out"] {
                let label = ("direction", direction)
                #expect(try counter("serf_gossip_bytes_total", label) > 0)
                #expect(try counter("serf_gossip_packets_total", label) > 0)
                #expect(try counter("serf_gossip_messages_total", label) > 0)
            }
            #expect(try counter("serf_streams_total", ("direction", "in")) > 0)
        }
    }

    @Test("suspicions, refutations and failed probes are counted") func suspicion() async throws {
        try await withNode(testSettings("node"), metricsFactory: metrics) { node in
            try await RawPeer.with { peer in
                let endpoint = try await node.boundEndpoint
                let alive = Alive(
                    incarnation: 1, node: "silent", endpoint: peer.endpoint, meta: [],
                    versions: .current)
                try await peer.send(.alive(alive), to: endpoint)
                let suspect = Suspect(incarnation: 9, node: "node", from: "silent")
                try await peer.send(.suspect(suspect), to: endpoint)
                try await eventually("the node contradicts") {
                    try counter("serf_refutations_total") == 1
                }
                // The peer answers nothing, and is suspected for it.
                try await eventually("a probe has failed") {
                    try counter("serf_probe_failures_total") > 0
                        && counter("serf_suspicions_total") > 0
                }
                try await eventually("the node doubts itself") {
                    try gauge("serf_health_score") ?? 0 > 0
                }
                #expect(try counter("serf_probes_by_stream_total") == 0)
                #expect(try counter("serf_queue_overflows_total") == 0)
            }
        }
    }

    @Test("what is dropped is counted by reason") func dropped() async throws {
        let settings = testSettings("node", keys: [someKey])
        try await withNode(settings, metricsFactory: metrics) { node in
            try await RawPeer.with { peer in
                for _ in 0..<3 {
                    try await peer.send([8, 1, 2, 3], to: node.boundEndpoint)
                }
                try await eventually("three are counted") {
                    // The counter begins with the first.
                    (try? counter("serf_dropped_total", ("reason", "not-encrypted"))) == 3
                }
            }
        }
    }
}
