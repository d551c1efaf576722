// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import LogAPI
import SwiftProtobuf
import Synchronization
import Testing

@testable import LogService

@Suite("Health", .timeLimit(.minutes(1)))
struct HealthServiceTests {
    private let drain = ServiceDrain()

    private final class Disk: Sendable {
        let hasRoom = Mutex(true)
    }

    private let disk = Disk()

    private var service: HealthService {
        HealthService(
            services: ["log.v1.Log"], drain: drain, checkInterval: .milliseconds(1),
            isServing: { _ in disk.hasRoom.withLock { $0 } })
    }

    private static func request(_ name: String) -> Grpc_Health_V1_HealthCheckRequest {
        .with { $0.service = name }
    }

    @Test("the server and its services are SERVING until the disk is full or the server stops")
    func check() async throws {
        try await withServer([service]) { client in
            let health = Grpc_Health_V1_Health.Client(wrapping: client)
            for name in ["", "log.v1.Log"] {
                disk.hasRoom.withLock { $0 = true }
                let roomy = try await health.check(Self.request(name)).status
                #expect(roomy == .serving)
                disk.hasRoom.withLock { $0 = false }
                let full = try await health.check(Self.request(name)).status
                #expect(full == .notServing)
            }
            disk.hasRoom.withLock { $0 = true }
            drain.begin()
            let stopping = try await health.check(Self.request("")).status
            #expect(stopping == .notServing)
        }
    }

    @Test("a service that is not there is NOT_FOUND to Check and unknown to Watch")
    func unknown() async throws {
        try await withServer([service]) { client in
            let health = Grpc_Health_V1_Health.Client(wrapping: client)
            let error = await #expect(throws: RPCError.self) {
                try await health.check(Self.request("no.such"))
            }
            #expect(error?.code == .notFound)
            try await health.watch(Self.request("no.such")) { response in
                let first = try await response.messages.first { _ in true }
                #expect(first?.status == .serviceUnknown)
            }
        }
    }

    @Test("Watch tells each change, and ends when the server drains")
    func watch() async throws {
        try await withServer([service]) { client in
            let health = Grpc_Health_V1_Health.Client(wrapping: client)
            var seen: [Grpc_Health_V1_HealthCheckResponse.ServingStatus] = []
            let error = await #expect(throws: RPCError.self) {
                seen = try await health.watch(Self.request("")) { response in
                    var seen: [Grpc_Health_V1_HealthCheckResponse.ServingStatus] = []
                    do {
                        for try await message in response.messages {
                            seen.append(message.status)
                            switch seen.count {
                            case 1: disk.hasRoom.withLock { $0 = false }
                            case 2: disk.hasRoom.withLock { $0 = true }
                            default: drain.begin()
                            }
                        }
                    } catch {
                        #expect(seen == [.serving, .notServing, .serving, .notServing])
                        throw error
                    }
                    return seen
                }
            }
            #expect(error?.code == .unavailable)
            #expect(seen.isEmpty)
        }
    }
}
