// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import GRPCCore
import LogAPI
import SwiftProtobuf
import Testing

@testable import LogService

@Suite("Topics", .timeLimit(.minutes(1)))
struct TopicServiceTests {
    @Test("a topic is created, listed, described, configured and deleted")
    func life() async throws {
        try await BrokerFixture.run { fixture in
            let created = try await fixture.topics.createTopic(
                .with {
                    $0.name = "events"
                    $0.partitionCount = 3
                    $0.settings = ["retention.ms": "60000"]
                }
            ).topic
            #expect(created.name == "events")
            #expect(created.partitionCount == 3)
            #expect(created.id.count == 32)
            let list = try await fixture.topics.listTopics(Cordwood_V1_ListTopicsRequest())
            #expect(list.topics.map(\.name) == ["default", "events", "many"])
            try await fixture.append(["a", "b"], to: "events", 2)
            let described = try await fixture.topics.describeTopic(.with { $0.name = "events" })
            #expect(described.topic == created)
            #expect(described.partitions.map(\.number) == [0, 1, 2])
            #expect(described.partitions.map(\.highWatermark) == [0, 0, 2])
            #expect(described.partitions.allSatisfy { $0.state == "online" })
            let configured = try await fixture.topics.configureTopic(
                .with {
                    $0.name = "events"
                    $0.set = ["segment.ms": "5000"]
                    $0.reset = ["retention.ms"]
                })
            let set = configured.topic.settings.filter(\.isSet)
            #expect(set.map(\.name) == ["segment.ms"])
            #expect(set.map(\.value) == ["5000"])
            _ = try await fixture.topics.deleteTopic(.with { $0.name = "events" })
            let gone = await failure {
                _ = try await fixture.topics.describeTopic(.with { $0.name = "events" })
            }
            #expect(gone?.status == .notFound)
        }
    }

    @Test("a validated topic is not created")
    func validateOnly() async throws {
        try await BrokerFixture.run { fixture in
            let topic = try await fixture.topics.createTopic(
                .with {
                    $0.name = "x"
                    $0.validateOnly = true
                }
            ).topic
            #expect(topic.partitionCount == 1)
            let missing = await failure {
                _ = try await fixture.topics.describeTopic(.with { $0.name = "x" })
            }
            #expect(missing?.status == .notFound)
        }
    }

    @Test(
        "names that cannot be topics are INVALID_ARGUMENT in every call",
        arguments: ["../../etc", ".", "..", "a\0b", String(repeating: "x", count: 300)])
    func badNames(name: String) async throws {
        try await BrokerFixture.run { fixture in
            let failures = [
                await failure {
                    _ = try await fixture.topics.createTopic(.with { $0.name = name })
                },
                await failure {
                    _ = try await fixture.topics.describeTopic(.with { $0.name = name })
                },
                await failure {
                    _ = try await fixture.topics.configureTopic(.with { $0.name = name })
                },
                await failure {
                    _ = try await fixture.topics.deleteTopic(.with { $0.name = name })
                },
                await failure {
                    _ = try await fixture.topics.deleteRecords(.with { $0.topic = name })
                },
                await failure { try await fixture.append(["x"], to: name) },
                await failure {
                    _ = try await fixture.log.listOffsets(
                        .with { $0.positions = [.at(.offset(0), of: name)] })
                },
            ]
            for failure in failures {
                #expect(failure?.status == .invalidArgument)
                #expect(failure?.code == "CW-1004")
            }
        }
    }

    @Test("what is wrong with a request has its own status and code")
    func refusals() async throws {
        try await BrokerFixture.run { fixture in
            func creation(
                _ change: @escaping (inout Cordwood_V1_CreateTopicRequest) -> Void
            ) async -> (status: RPCError.Code, code: String)? {
                await failure {
                    _ = try await fixture.topics.createTopic(
                        .with {
                            $0.name = "x"
                            change(&$0)
                        })
                }
            }
            let exists = await creation { $0.name = "default" }
            #expect(exists?.status == .alreadyExists)
            for count: Int32 in [-1, .min, 1025, .max] {
                let refused = await creation { $0.partitionCount = count }
                #expect(refused?.code == "CW-1005")
            }
            let unknown = await creation { $0.settings = ["retention.mss": "1"] }
            #expect(unknown?.code == "CW-1013")
            let invalid = await creation { $0.settings = ["retention.ms": "soon"] }
            #expect(invalid?.code == "CW-1012")
            let missing = await creation { $0.name = "" }
            #expect(missing?.status == .invalidArgument)
            let negative = await failure {
                _ = try await fixture.topics.deleteRecords(
                    .with {
                        $0.topic = "default"
                        $0.beforeOffset = -2
                    })
            }
            #expect(negative?.status == .invalidArgument)
            let beyond = await failure {
                _ = try await fixture.topics.deleteRecords(
                    .with {
                        $0.topic = "default"
                        $0.beforeOffset = .max
                    })
            }
            #expect(beyond?.status == .outOfRange)
        }
    }

    @Test("deleted records are gone, and -1 deletes all")
    func deleteRecords() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.append(["a", "b"])
            try await fixture.append(["c"])
            let first = try await fixture.topics.deleteRecords(
                .with {
                    $0.topic = "default"
                    $0.beforeOffset = 2
                })
            #expect(first.logStartOffset == 2)
            let all = try await fixture.topics.deleteRecords(
                .with {
                    $0.topic = "default"
                    $0.beforeOffset = -1
                })
            #expect(all.logStartOffset == 3)
        }
    }

    @Test("the server's own topics are neither listed nor the callers' to make or change")
    func internalTopics() async throws {
        try await BrokerFixture.run { fixture in
            let name = "__cordwood_ledger"
            let created = await failure {
                _ = try await fixture.topics.createTopic(.with { $0.name = name })
            }
            #expect(created?.status == .invalidArgument)
            _ = try await fixture.broker.createTopic(
                name, partitionCount: 1, settings: [:], isInternal: true)
            let list = try await fixture.topics.listTopics(Cordwood_V1_ListTopicsRequest())
            #expect(list.topics.map(\.name) == ["default", "many"])
            let deleted = await failure {
                _ = try await fixture.topics.deleteTopic(.with { $0.name = name })
            }
            #expect(deleted?.status == .invalidArgument)
            let configured = await failure {
                _ = try await fixture.topics.configureTopic(
                    .with {
                        $0.name = name
                        $0.set = ["segment.ms": "5000"]
                    })
            }
            #expect(configured?.status == .invalidArgument)
        }
    }
}
