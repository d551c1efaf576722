// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import Faults
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import GRPCProtobuf
import LogAPI
import Logging
import SimulatedDisk
import SwiftProtobuf

@testable import LogService

/// A broker on a disk in memory behind the gRPC services, and clients of them.
struct BrokerFixture: Sendable {
    typealias Transport = HTTP2ClientTransport.Posix

    let disk: SimulatedFileSystem
    let broker: Broker
    let servers: ServerRegistry
    let drain: ServiceDrain
    let book: Log_V1_Log.Client<Transport>
    let log: Cordwood_V1_LogService.Client<Transport>
    let topics: Cordwood_V1_TopicService.Client<Transport>
    let groups: Cordwood_V1_GroupService.Client<Transport>
    let members: Cordwood_V1_MemberService.Client<Transport>
    let health: Grpc_Health_V1_Health.Client<Transport>

    /// Runs a test against a server that has the topics `default` (1 partition) and `many` (4).
    static func run(
        _ settings: LogServiceSettings = LogServiceSettings(),
        gossip: any ServerGossip = AbsentGossip(name: "node-1", cluster: "cordwood"),
        _ body: (BrokerFixture) async throws -> Void
    ) async throws {
        let disk = SimulatedFileSystem(modelsPowerCuts: false)
        var brokerSettings = BrokerSettings()
        brokerSettings.nodeID = "node-1"
        brokerSettings.housekeepingMilliseconds = 10
        let broker = try Broker.open(
            dataDirectory: "/data", fileSystem: disk, settings: brokerSettings,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        _ = try await broker.createTopic("default", partitionCount: 1, settings: [:])
        _ = try await broker.createTopic("many", partitionCount: 4, settings: [:])
        var settings = settings
        settings.advertisedAddress = { "127.0.0.1:8400" }
        let servers = ServerRegistry()
        let services = LogServices.make(
            broker: broker, settings: settings, servers: servers, gossip: gossip)
        let result = await Result {
            try await withServer(services.services) { client in
                try await body(
                    BrokerFixture(
                        disk: disk, broker: broker, servers: servers, drain: services.drain,
                        book: Log_V1_Log.Client(wrapping: client),
                        log: Cordwood_V1_LogService.Client(wrapping: client),
                        topics: Cordwood_V1_TopicService.Client(wrapping: client),
                        groups: Cordwood_V1_GroupService.Client(wrapping: client),
                        members: Cordwood_V1_MemberService.Client(wrapping: client),
                        health: Grpc_Health_V1_Health.Client(wrapping: client)))
                services.drain.begin()
            }
        }
        await broker.close()
        try result.get()
    }

    /// Appends records with these values to a partition, one batch.
    ///
    /// - Parameter times: Their timestamps; the server's time where there are none.
    func append(
        _ values: [String], at times: [Int64] = [], to topic: String = "default",
        _ partition: Int32 = 0
    ) async throws {
        var request = Cordwood_V1_ProduceRequest()
        request.partition = .named(topic, partition)
        request.records = values.map { value in .with { $0.value = .init(value.utf8) } }
        for (place, time) in times.enumerated() { request.records[place].timestampMs = time }
        _ = try await log.produce(request)
    }
}

extension Cordwood_V1_TopicPartition {
    /// A partition of a topic.
    static func named(_ topic: String, _ partition: Int32 = 0) -> Self {
        .with {
            $0.topic = topic
            $0.partition = partition
        }
    }
}

extension Cordwood_V1_StartPosition {
    /// A place in a partition.
    static func at(
        _ start: OneOf_Start, of topic: String = "default", _ partition: Int32 = 0
    ) -> Self {
        .with {
            $0.partition = .named(topic, partition)
            $0.start = start
        }
    }
}

/// The status that a call ends with, and its stable code; `nil` if it succeeds.
func failure(_ body: () async throws -> Void) async -> (status: RPCError.Code, code: String)? {
    do {
        try await body()
        return nil
    } catch let error as RPCError {
        // Statuses that gRPC itself makes have no details.
        let details = try? error.unpackGoogleRPCStatus()?.details
        return (error.code, details?.first?.errorInfo?.reason ?? "")
    } catch {
        return (.unknown, "\(error)")
    }
}
