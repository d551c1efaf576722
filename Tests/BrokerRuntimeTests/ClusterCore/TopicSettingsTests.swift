// SPDX-License-Identifier: Apache-2.0

import ClusterCore
import Faults
import Testing

@Suite("A topic's settings")
struct TopicSettingsTests {
    @Test("take each setting's own value, and say it again")
    func roundTrip() throws {
        var settings = TopicSettings()
        for name in TopicSettings.names + TopicSettings.facts.map(\.name) {
            let value = try #require(settings.value(of: name))
            try settings.set(name, to: value)
            #expect(settings.value(of: name) == value)
        }
        #expect(settings == TopicSettings())
        #expect(TopicSettings.names == TopicSettings.names.sorted())
        #expect(TopicSettings.facts.map(\.name) == TopicSettings.facts.map(\.name).sorted())
    }

    @Test(
        "refuse what is not true of any topic here, and say why",
        arguments: [
            ("cleanup.policy", "compact", "compaction is not supported yet"),
            ("cleanup.policy", "compact,delete", "compaction is not supported yet"),
            ("compression.type", "zstd", "as their producers compressed them"),
            ("message.timestamp.type", "LogAppendTime", "timestamps of their producers"),
            ("min.insync.replicas", "2", "one replica"),
            ("unclean.leader.election.enable", "true", "one replica"),
        ])
    func facts(_ name: String, _ value: String, _ reason: String) throws {
        var settings = TopicSettings()
        let fault = #expect(throws: Fault.self) { try settings.set(name, to: value) }
        #expect(fault?.code == .invalidSetting)
        #expect(try #require(fault).message.contains(reason))
    }

    @Test("keep a fact that was stated as an override, until it is reset")
    func statedFacts() throws {
        let stated = TopicOverride(name: "cleanup.policy", value: "delete")
        let overrides = try [TopicOverride]().changed(set: [stated], reset: [])
        #expect(overrides == [stated])
        #expect(try overrides.changed(set: [], reset: ["cleanup.policy"]).isEmpty)
    }

    @Test("keep some names for the server's own topics")
    func internalNames() {
        #expect(TopicName.isInternal("__cordwood_groups"))
        for name in ["__consumer_offsets", "__debezium-heartbeat.db", "_schemas", "cordwood"] {
            #expect(!TopicName.isInternal(name))
        }
    }
}
