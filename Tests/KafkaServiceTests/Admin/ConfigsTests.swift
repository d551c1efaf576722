// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import ClusterCore
import KafkaProtocol
import SimulatedDisk
import Testing

@testable import KafkaService

@Suite("DescribeConfigs", .timeLimit(.minutes(1)))
struct DescribeConfigsTests {
    typealias Config = DescribeConfigsResponse.DescribeConfigsResourceResult

    private func describe(
        _ resources: [(Int8, String)], keys: [String]? = nil, version: Int16 = 4,
        on fixture: AdminFixture
    ) async throws -> [DescribeConfigsResponse.DescribeConfigsResult] {
        var request = DescribeConfigsRequest()
        request.resources = resources.map { type, name in
            var resource = DescribeConfigsRequest.DescribeConfigsResource()
            resource.resourceType = type
            resource.resourceName = name
            resource.configurationKeys = keys
            return resource
        }
        request.includeSynonyms = true
        request.includeDocumentation = true
        return try await fixture.call(request, version: version) { $0.describeConfigs }.results
    }

    @Test("shows a topic's configurations in each version", arguments: Int16(1)...4)
    func topic(_ version: Int16) async throws {
        let fixture = try AdminFixture { $0.topicDefaults.retentionBytes = 5_000_000 }
        _ = try await fixture.makeTopic(
            "a", settings: ["retention.ms": "60000", "cleanup.policy": "delete"])
        let results = try await describe([(2, "a")], version: version, on: fixture)
        let configs = try #require(results.first).configs
        let names = TopicSettings.names + TopicSettings.facts.map(\.name)
        #expect(configs.map(\.name) == names.sorted())
        func config(_ name: String) throws -> Config {
            try #require(configs.first { $0.name == name })
        }
        let own = try config("retention.ms")
        #expect(own.value == "60000")
        #expect(own.configSource == 1)
        #expect(!own.readOnly && !own.isSensitive)
        #expect(own.synonyms.map(\.name) == ["retention.ms", "log.retention.ms"])
        #expect(own.synonyms.map(\.value) == ["60000", "-1"])
        #expect(own.synonyms.map(\.source) == [1, 5])
        let fromFile = try config("retention.bytes")
        #expect(fromFile.value == "5000000")
        #expect(fromFile.configSource == 4)
        #expect(fromFile.synonyms.map(\.source) == [4, 5])
        let unset = try config("segment.bytes")
        #expect(unset.configSource == 5)
        let fact = try config("cleanup.policy")
        #expect(fact.readOnly)
        #expect(fact.configSource == 1)
        #expect(try config("compression.type").configSource == 5)
        if version >= 3 {
            #expect(own.configType == 5)
            #expect(fact.configType == 7)
            #expect(configs.allSatisfy { $0.documentation?.isEmpty == false })
        }
        await fixture.broker.close()
    }

    @Test("shows what this broker is set to, all read-only")
    func broker() async throws {
        let fixture = try AdminFixture(
            SimulatedFileSystem(),
            {
                $0.partitionCountDefault = 3
                $0.topicDefaults.messageBytesMax = 2_000_000
            }, { $0.autoCreateTopics = false })
        let results = try await describe([(4, "7"), (4, ""), (4, "8")], on: fixture)
        #expect(results.map(\.errorCode) == [.none, .none, .invalidRequest])
        #expect(results[1].configs.isEmpty)
        let configs = results[0].configs
        #expect(configs.map(\.name) == Set(configs.map(\.name)).sorted(), "each once, in order")
        #expect(configs.allSatisfy { $0.readOnly && !$0.isSensitive })
        let values = Dictionary(uniqueKeysWithValues: configs.map { ($0.name, $0) })
        let expected: [(String, String, Int8)] = [
            ("node.id", "7", 4), ("num.partitions", "3", 4), ("message.max.bytes", "2000000", 4),
            ("auto.create.topics.enable", "false", 4), ("default.replication.factor", "1", 5),
            ("log.retention.ms", "-1", 5), ("compression.type", "producer", 5),
            ("log.dirs", "/data", 4),
            ("advertised.listeners", "PLAINTEXT://broker.example:9192", 4),
            ("socket.request.max.bytes", "104857600", 5),
        ]
        for (name, value, source) in expected {
            #expect(values[name]?.value == value, "\(name)")
            #expect(values[name]?.configSource == source, "\(name)")
        }
        await fixture.broker.close()
    }

    @Test("answers each row, and only with the keys that were asked for")
    func rows() async throws {
        let fixture = try AdminFixture()
        _ = try await fixture.makeTopic("a")
        let resources: [(Int8, String)] = [(2, "a"), (2, "gone"), (2, "a b"), (8, "7"), (99, "")]
        let results = try await describe(
            resources, keys: ["segment.ms", "colour"], on: fixture)
        #expect(results.map(\.resourceName) == resources.map(\.1))
        #expect(results.map(\.resourceType) == resources.map(\.0))
        #expect(
            results.map(\.errorCode) == [
                .none, .unknownTopicOrPartition, .invalidTopicException, .invalidRequest,
                .invalidRequest,
            ])
        #expect(results[0].configs.map(\.name) == ["segment.ms"])
        let twice = try await describe([(2, "a"), (2, "b"), (2, "a")], on: fixture)
        #expect(twice.map(\.resourceName) == ["a", "b"], "each resource has one answer")
        let all = try await describe([(2, "a")], keys: [], on: fixture)
        #expect(all[0].configs.count > 5)
        await fixture.broker.close()
    }

    @Test("has words for each setting that a topic can have")
    func definitions() {
        for name in TopicSettings.names + TopicSettings.facts.map(\.name) {
            #expect(TopicConfigDefinition(name) != nil, "\(name)")
        }
    }
}

@Suite("AlterConfigs", .timeLimit(.minutes(1)))
struct AlterConfigsTests {
    private func overrides(_ fixture: AdminFixture, _ topic: String = "a") throws -> [String] {
        try fixture.broker.topic(topic).settings.filter(\.isSet).map { "\($0.name)=\($0.value)" }
    }

    private func replace(
        _ rows: [(Int8, String, [(String, String?)])], version: Int16 = 2,
        validateOnly: Bool = false, on fixture: AdminFixture
    ) async throws -> AlterConfigsResponse {
        var request = AlterConfigsRequest()
        request.validateOnly = validateOnly
        request.resources = rows.map { type, name, configs in
            var resource = AlterConfigsRequest.AlterConfigsResource()
            resource.resourceType = type
            resource.resourceName = name
            resource.configs = configs.map { name, value in
                var config = AlterConfigsRequest.AlterableConfig()
                config.name = name
                config.value = value
                return config
            }
            return resource
        }
        return try await fixture.call(request, version: version) { $0.alterConfigs }
    }

    private func change(
        _ rows: [(Int8, String, [(String, Int8, String?)])], version: Int16 = 1,
        validateOnly: Bool = false, on fixture: AdminFixture
    ) async throws -> IncrementalAlterConfigsResponse {
        var request = IncrementalAlterConfigsRequest()
        request.validateOnly = validateOnly
        request.resources = rows.map { type, name, configs in
            var resource = IncrementalAlterConfigsRequest.AlterConfigsResource()
            resource.resourceType = type
            resource.resourceName = name
            resource.configs = configs.map { name, operation, value in
                var config = IncrementalAlterConfigsRequest.AlterableConfig()
                config.name = name
                config.configOperation = operation
                config.value = value
                return config
            }
            return resource
        }
        return try await fixture.call(request, version: version) { $0.incrementalAlterConfigs }
    }

    @Test("replaces all that was set, in each version", arguments: Int16(0)...2)
    func replaces(_ version: Int16) async throws {
        let fixture = try AdminFixture()
        _ = try await fixture.makeTopic("a", settings: ["retention.ms": "60000"])
        _ = try await fixture.makeTopic("b", settings: ["retention.ms": "60000"])
        let response = try await replace(
            [
                (2, "a", [("segment.ms", "5000"), ("cleanup.policy", "delete")]),
                (2, "b", [("segment.ms", "no number")]),
                (2, "gone", []), (4, "7", []), (2, "c", []), (2, "c", []),
                (2, "b b", [("segment.ms", nil)]),
            ], version: version, on: fixture)
        #expect(
            response.responses.map(\.errorCode) == [
                .none, .invalidConfig, .unknownTopicOrPartition, .invalidRequest, .invalidRequest,
                .invalidRequest, .invalidRequest,
            ])
        #expect(response.responses.map(\.resourceName) == ["a", "b", "gone", "7", "c", "c", "b b"])
        #expect(try overrides(fixture) == ["cleanup.policy=delete", "segment.ms=5000"])
        #expect(try overrides(fixture, "b") == ["retention.ms=60000"])
        await fixture.broker.close()
    }

    @Test("sets and resets some and keeps the others, in each version", arguments: Int16(0)...1)
    func changes(_ version: Int16) async throws {
        let fixture = try AdminFixture()
        _ = try await fixture.makeTopic(
            "a", settings: ["retention.ms": "60000", "segment.ms": "5000"])
        let response = try await change(
            [(2, "a", [("segment.ms", 1, nil), ("max.message.bytes", 0, "2048")])],
            version: version, on: fixture)
        #expect(response.responses.map(\.errorCode) == [.none])
        #expect(try overrides(fixture) == ["max.message.bytes=2048", "retention.ms=60000"])
        #expect(try fixture.broker.partition("a", 0).batchSizeMax == 2048)
        await fixture.broker.close()
    }

    @Test("adds to lists and takes from them what leaves them true, and from nothing else")
    func lists() async throws {
        let fixture = try AdminFixture()
        _ = try await fixture.makeTopic("a")
        let cases: [(String, Int8, String, KafkaErrorCode)] = [
            ("cleanup.policy", 2, "delete", .none),
            ("cleanup.policy", 2, "compact", .invalidConfig),
            ("cleanup.policy", 3, "compact", .none),
            ("cleanup.policy", 3, "delete", .invalidConfig),
            ("retention.ms", 2, "5", .invalidConfig),
            ("retention.ms", 3, "5", .invalidConfig),
            ("colour", 2, "red", .invalidConfig),
        ]
        for (name, operation, value, code) in cases {
            let response = try await change([(2, "a", [(name, operation, value)])], on: fixture)
            #expect(response.responses.map(\.errorCode) == [code], "\(name) \(operation) \(value)")
        }
        #expect(try overrides(fixture) == ["cleanup.policy=delete"])
        await fixture.broker.close()
    }

    @Test("answers each row, and changes none of a topic's settings if one is wrong")
    func rows() async throws {
        let fixture = try AdminFixture()
        _ = try await fixture.makeTopic("a", settings: ["retention.ms": "60000"])
        let rows: [(Int8, String, [(String, Int8, String?)], KafkaErrorCode)] = [
            (2, "gone", [("segment.ms", 0, "5000")], .unknownTopicOrPartition),
            (2, "a", [("segment.ms", 0, "5000"), ("colour", 0, "red")], .invalidConfig),
            (4, "7", [("num.partitions", 0, "2")], .invalidRequest),
            (4, "", [("num.partitions", 0, "2")], .invalidRequest),
            (32, "group", [], .invalidRequest),
            (2, "b", [("segment.ms", 0, nil)], .invalidRequest),
            (2, "c", [("segment.ms", 9, "1")], .invalidRequest),
            (2, "d", [("segment.ms", 0, "1"), ("segment.ms", 1, nil)], .invalidRequest),
        ]
        let response = try await change(rows.map { ($0.0, $0.1, $0.2) }, on: fixture)
        #expect(response.responses.map(\.errorCode) == rows.map(\.3))
        #expect(response.responses.map(\.resourceName) == rows.map(\.1))
        #expect(response.responses.allSatisfy { $0.errorMessage != nil })
        #expect(try overrides(fixture) == ["retention.ms=60000"])
        await fixture.broker.close()
    }

    @Test("only looks whether it could when it is asked to")
    func validateOnly() async throws {
        let fixture = try AdminFixture()
        _ = try await fixture.makeTopic("a", settings: ["retention.ms": "60000"])
        let incremental = try await change(
            [(2, "a", [("segment.ms", 0, "5000")])], validateOnly: true, on: fixture)
        #expect(incremental.responses.map(\.errorCode) == [.none])
        let whole = try await replace([(2, "a", [])], validateOnly: true, on: fixture)
        #expect(whole.responses.map(\.errorCode) == [.none])
        #expect(try overrides(fixture) == ["retention.ms=60000"])
        await fixture.broker.close()
    }
}
