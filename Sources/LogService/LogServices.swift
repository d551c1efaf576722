// SPDX-License-Identifier: Apache-2.0

public import BrokerRuntime
public import GRPCCore
internal import LogAPI

/// All gRPC services of a node, and the switch that ends their calls.
public struct LogServices: Sendable {
    /// What to register with a gRPC server.
    public let services: [any RegistrableRPCService]
    /// Ends the streams before the server stops.
    public let drain: ServiceDrain

    /// Makes the services of a broker.
    ///
    /// To stop: ``ServiceDrain/begin()``, then let the gRPC server shut down gracefully, then close
    /// the broker. Streams end within moments and so never hold the server up.
    ///
    /// - Parameters:
    ///   - broker: What the services serve.
    ///   - settings: Limits and names.
    ///   - servers: Who is in the cluster.
    ///   - gossip: What knows them.
    ///   - clock: The time: what records without a timestamp get, and what "ago" counts from.
    public static func make(
        broker: Broker, settings: LogServiceSettings, servers: ServerRegistry,
        gossip: any ServerGossip, clock: BrokerClock = .system
    ) -> LogServices {
        let drain = ServiceDrain()
        let surroundings = Surroundings(
            broker: broker, settings: settings, servers: servers, gossip: gossip, drain: drain,
            clock: clock)
        let served: [ServiceDescriptor] = [
            .log_v1_Log, .cordwood_v1_LogService, .cordwood_v1_TopicService,
            .cordwood_v1_GroupService, .cordwood_v1_MemberService,
        ]
        let tools: [ServiceDescriptor] = [
            .grpc_health_v1_Health, .grpc_reflection_v1_ServerReflection,
            .grpc_reflection_v1Alpha_ServerReflection,
        ]
        let index = DescriptorIndex(
            services: (served + tools).map(\.fullyQualifiedService))
        return LogServices(
            services: [
                BookLogService(surroundings),
                LogServiceProvider(surroundings),
                TopicServiceProvider(surroundings),
                GroupServiceProvider(surroundings),
                MemberServiceProvider(surroundings),
                HealthService(
                    services: served.map(\.fullyQualifiedService), drain: drain,
                    checkInterval: settings.healthCheckInterval,
                    isServing: { service in
                        // A server that lost its gossip keeps its records, and serves them.
                        if service
                            == ServiceDescriptor.cordwood_v1_MemberService
                            .fullyQualifiedService
                        {
                            return gossip.status.state == .running
                        }
                        return if case .critical = broker.diskState { false } else { true }
                    }),
                ReflectionService(index),
                ReflectionServiceAlpha(index),
            ],
            drain: drain)
    }
}

/// What every service needs.
struct Surroundings: Sendable {
    let broker: Broker
    let settings: LogServiceSettings
    let servers: ServerRegistry
    let gossip: any ServerGossip
    let drain: ServiceDrain
    let clock: BrokerClock
}
