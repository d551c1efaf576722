// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// What every Swift room is built with.
let everyRoom: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// Pure rooms are synchronous, and say where they step outside memory safety.
let pureRoom: [SwiftSetting] = everyRoom + [.strictMemorySafety()]

/// `PLANTED_BUGS=1 swift build` compiles in the bugs that can be planted, to see that they are found;
/// no other build has a trace of them.
let plantable: [SwiftSetting] =
    Context.environment["PLANTED_BUGS"] == nil ? [] : [.define("PLANTED_BUGS")]

/// Generated code is not ours to warn about.
let generatedRoom: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
]

let grpcCore: Target.Dependency = .product(name: "GRPCCore", package: "grpc-swift-2")
let grpcTransport: Target.Dependency = .product(
    name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport")
let grpcProtobuf: Target.Dependency = .product(
    name: "GRPCProtobuf", package: "grpc-swift-protobuf")
let swiftProtobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let http2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let hpack: Target.Dependency = .product(name: "NIOHPACK", package: "swift-nio-http2")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let arguments: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")
let configuration: Target.Dependency = .product(
    name: "Configuration", package: "swift-configuration")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let metricsTesting: Target.Dependency = .product(
    name: "MetricsTestKit", package: "swift-metrics")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "cordwood",
    products: [
        .executable(name: "cordwood", targets: ["cordwood"]),
        .executable(name: "simulate", targets: ["simulate"]),
        .library(name: "CordwoodClient", targets: ["CordwoodClient"]),
        .library(name: "CordwoodTesting", targets: ["CordwoodTesting"]),
        .library(
            name: "CordwoodLog",
            targets: ["Bytes", "Records", "Disk", "PosixDisk", "CommitLog", "BrokerRuntime"]),
        .library(
            name: "CordwoodSerf", targets: ["SerfWire", "SwimCore", "SerfCore", "Membership"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(
            url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.0"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.0"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Level 0
        .target(name: "CChecksum"),
        .target(name: "Bytes", dependencies: ["CChecksum"], swiftSettings: pureRoom),
        .target(name: "Faults", swiftSettings: pureRoom),
        .target(name: "Positions", swiftSettings: pureRoom),
        // Level 1
        .target(name: "Records", dependencies: ["Bytes", "Positions"], swiftSettings: pureRoom),
        .target(
            name: "RaftCore", dependencies: ["Positions", "Bytes", deque],
            swiftSettings: pureRoom + plantable),
        .target(name: "Disk", swiftSettings: pureRoom),
        .systemLibrary(name: "CZlib"),
        .target(name: "CCodecs", linkerSettings: [.linkedLibrary("dl")]),
        .target(
            name: "Compression", dependencies: ["CCodecs", "CZlib"], swiftSettings: pureRoom),
        .target(name: "SerfWire", dependencies: ["Bytes", "CZlib"], swiftSettings: pureRoom),
        // Level 2
        .target(name: "CSystemCalls"),
        .target(name: "SwimCore", dependencies: ["SerfWire", "Bytes"], swiftSettings: pureRoom),
        .target(
            name: "PosixDisk", dependencies: ["Disk", "CSystemCalls"], swiftSettings: everyRoom),
        .target(name: "SimulatedDisk", dependencies: ["Disk", "Bytes"], swiftSettings: everyRoom),
        .target(
            name: "CommitLog", dependencies: ["Records", "Compression", "Disk", "Bytes"],
            swiftSettings: pureRoom),
        .target(
            name: "ClusterCore", dependencies: ["Faults", "Bytes"],
            swiftSettings: pureRoom),
        .target(name: "GroupCore", dependencies: ["Records", "Bytes"], swiftSettings: pureRoom),
        .target(name: "KafkaProtocol", dependencies: ["Bytes"], swiftSettings: pureRoom),
        .target(
            name: "LogAPI",
            dependencies: ["Records", "Bytes", grpcCore, grpcProtobuf, swiftProtobuf],
            swiftSettings: generatedRoom),
        .target(
            name: "RaftScenarios", dependencies: ["RaftCore", "Positions"],
            swiftSettings: pureRoom + plantable),
        // Level 3
        .target(
            name: "Replication",
            dependencies: ["CommitLog", "RaftCore", "Records", "Disk", "Bytes", deque],
            swiftSettings: pureRoom + plantable),
        .target(name: "Telemetry", dependencies: ["Faults", logging], swiftSettings: everyRoom),
        .target(
            name: "SerfCore", dependencies: ["SwimCore", "SerfWire", "Bytes"],
            swiftSettings: pureRoom),
        // Level 4
        .target(
            name: "BrokerRuntime",
            dependencies: [
                "Replication", "RaftCore", "CommitLog", "ClusterCore", "GroupCore", "Records",
                "Disk",
                "Faults", "Bytes", deque, logging,
            ],
            swiftSettings: everyRoom),
        .target(
            name: "CordwoodClient",
            dependencies: [
                "LogAPI", "Records", "Compression", "Faults", grpcCore, grpcTransport, grpcProtobuf,
                deque, logging, lifecycle,
            ],
            swiftSettings: everyRoom),
        .target(
            name: "Membership",
            dependencies: [
                "SerfCore", "SwimCore", "SerfWire", nioCore, nioPosix, crypto, lifecycle, logging,
                metrics,
            ],
            swiftSettings: everyRoom),
        .target(
            name: "GossipSimulation", dependencies: ["SerfCore", "SwimCore", "SerfWire", "Bytes"],
            swiftSettings: pureRoom),
        .target(
            name: "Simulation",
            dependencies: [
                "Replication", "RaftCore", "CommitLog", "GroupCore",
                "SimulatedDisk", "Records", "Positions", "Disk", "Bytes", deque,
            ],
            swiftSettings: everyRoom + plantable),
        // Level 5
        .target(
            name: "LogService",
            dependencies: [
                "LogAPI", "BrokerRuntime", "ClusterCore", "CommitLog", "GroupCore", "Records",
                "Faults",
                grpcCore, grpcProtobuf, swiftProtobuf, deque,
            ],
            swiftSettings: everyRoom),
        .target(
            name: "KafkaService",
            dependencies: [
                "KafkaProtocol", "BrokerRuntime", "ClusterCore", "GroupCore", "CommitLog",
                "Records", "Faults", nioCore, nioPosix, deque, logging,
            ],
            swiftSettings: everyRoom),
        .executableTarget(
            name: "simulate",
            dependencies: ["Simulation", "GossipSimulation", "RaftCore", arguments],
            swiftSettings: everyRoom + plantable),
        // Level 6
        .target(
            name: "Agent",
            dependencies: [
                "LogService", "KafkaService", "Membership", "BrokerRuntime", "SerfCore",
                "ClusterCore", "GroupCore", "SwimCore", "SerfWire", "PosixDisk", "Disk", "Records",
                "Faults", "Telemetry",
                grpcCore, grpcTransport, nioCore, nioPosix, http2, hpack, lifecycle, configuration,
                crypto, yams, logging,
            ],
            swiftSettings: everyRoom),
        // Level 7
        .target(
            name: "CordwoodTesting",
            dependencies: [
                "Agent", "CordwoodClient", "BrokerRuntime", "SimulatedDisk", "Disk", logging,
            ],
            swiftSettings: everyRoom),
        .target(
            name: "Commands",
            dependencies: [
                "Agent", "CordwoodClient", "Membership", "SerfCore", "SerfWire",
                "CommitLog", "ClusterCore", "KafkaProtocol", "PosixDisk",
                "Disk", "Records", "Faults", "Telemetry",
                arguments, logging,
            ],
            swiftSettings: everyRoom),
        // Beside the house: what measures it.
        .executableTarget(
            name: "bench-storage",
            dependencies: [
                "BrokerRuntime", "CommitLog", "PosixDisk", "Disk", "Records", "Faults", logging,
            ],
            path: "Benchmarks/Storage", swiftSettings: everyRoom),
        .executableTarget(
            name: "bench-grpc",
            dependencies: [
                "Agent", "LogAPI", "ClusterCore", "PosixDisk", "Records", grpcCore, grpcTransport,
                swiftProtobuf, nioPosix, logging,
            ],
            path: "Benchmarks/Grpc", swiftSettings: everyRoom),
        .executableTarget(
            name: "bench-replication",
            dependencies: [
                "BrokerRuntime", "Replication", "RaftCore", "CommitLog", "PosixDisk", "Disk",
                "Records", logging,
            ],
            path: "Benchmarks/Replication", swiftSettings: everyRoom),
        .executableTarget(
            name: "bench-gossip", dependencies: ["Membership", "SerfCore", logging],
            path: "Benchmarks/Gossip", swiftSettings: everyRoom),
        // Level 8
        .executableTarget(name: "cordwood", dependencies: ["Commands"], swiftSettings: everyRoom),
        // Tests
        .testTarget(
            name: "TelemetryTests", dependencies: ["Telemetry", "Faults", logging],
            swiftSettings: everyRoom),
        .testTarget(
            name: "LogAPITests", dependencies: ["LogAPI", "Records", swiftProtobuf],
            swiftSettings: everyRoom),
        .testTarget(
            name: "GroupCoreTests", dependencies: ["GroupCore", "Records", "Bytes"],
            swiftSettings: everyRoom),
        .testTarget(
            name: "KafkaProtocolTests", dependencies: ["KafkaProtocol", "Bytes"],
            exclude: ["Golden"], swiftSettings: everyRoom),
        .testTarget(
            name: "KafkaServiceTests",
            dependencies: [
                "KafkaService", "KafkaProtocol", "BrokerRuntime", "ClusterCore", "GroupCore",
                "CommitLog", "Compression", "SimulatedDisk", "Disk", "Records", "Faults", "Bytes",
                nioCore, nioEmbedded, logging,
            ],
            swiftSettings: everyRoom),
        .testTarget(
            name: "LogServiceTests",
            dependencies: [
                "LogService", "LogAPI", "BrokerRuntime", "ClusterCore", "Compression", "GroupCore",
                "SimulatedDisk", "Disk", "Records", "Faults",
                grpcCore, grpcTransport, grpcProtobuf, swiftProtobuf, logging,
            ],
            swiftSettings: everyRoom),
        .testTarget(
            name: "AgentTests",
            dependencies: [
                "Agent", "CordwoodClient", "Membership", "BrokerRuntime", "SerfCore", "ClusterCore",
                "SimulatedDisk", "Disk", "Records",
                "Faults", "Telemetry", nioCore, nioPosix, lifecycle, logging,
            ],
            swiftSettings: everyRoom),
        .testTarget(
            name: "CordwoodTestingTests",
            dependencies: ["CordwoodTesting", "CordwoodClient", logging], swiftSettings: everyRoom),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "Simulation", "Replication", "RaftCore", "SimulatedDisk", "CommitLog", "GroupCore",
                "Records", "Positions", "Disk", "Bytes",
            ],
            swiftSettings: everyRoom + plantable),
        .testTarget(
            name: "RaftCoreTests", dependencies: ["RaftCore", "Positions", "Bytes"],
            swiftSettings: everyRoom + plantable),
        .testTarget(
            name: "RaftScenariosTests",
            dependencies: ["RaftScenarios", "RaftCore"],
            exclude: ["Scenarios"], swiftSettings: everyRoom + plantable),
        .testTarget(
            name: "ReplicationTests",
            dependencies: [
                "Replication", "RaftCore", "CommitLog", "SimulatedDisk", "Records", "Positions",
                "Disk", "Bytes",
            ],
            exclude: ["Golden"], swiftSettings: everyRoom + plantable),
        .testTarget(
            name: "CommitLogTests",
            dependencies: [
                "CommitLog", "Compression", "SimulatedDisk", "Disk", "Records", "Bytes",
            ],
            exclude: ["Golden/Files"],
            swiftSettings: everyRoom),
        .testTarget(
            name: "BrokerRuntimeTests",
            dependencies: [
                "BrokerRuntime", "Replication", "RaftCore", "ClusterCore", "GroupCore", "CommitLog",
                "SimulatedDisk", "PosixDisk", "Disk", "Records", "Faults", "Bytes", logging,
            ],
            swiftSettings: everyRoom),
        .testTarget(
            name: "SerfWireTests", dependencies: ["SerfWire", "Bytes"], exclude: ["Golden"],
            swiftSettings: everyRoom),
        .testTarget(
            name: "SwimCoreTests", dependencies: ["SwimCore", "SerfWire", "Bytes"],
            swiftSettings: everyRoom),
        .testTarget(
            name: "SerfCoreTests", dependencies: ["SerfCore", "SwimCore", "SerfWire", "Bytes"],
            swiftSettings: everyRoom),
        .testTarget(
            name: "GossipSimulationTests",
            dependencies: ["GossipSimulation", "SerfCore", "SwimCore", "SerfWire"],
            swiftSettings: everyRoom),
        .testTarget(
            name: "MembershipTests",
            dependencies: [
                "Membership", "SerfCore", "SwimCore", "SerfWire", nioCore, nioPosix, crypto,
                lifecycle, logging, metrics, metricsTesting,
            ],
            swiftSettings: everyRoom),
        .testTarget(
            name: "SerfAgentTests",
            dependencies: [
                "Membership", "SerfCore", "SwimCore", "SerfWire", nioCore, nioPosix, lifecycle,
                logging,
            ],
            swiftSettings: everyRoom),
        .testTarget(name: "BytesTests", dependencies: ["Bytes"], swiftSettings: everyRoom),
        .testTarget(
            name: "RecordsTests", dependencies: ["Records", "Bytes"], exclude: ["Golden"],
            swiftSettings: everyRoom),
        .testTarget(
            name: "CordwoodClientTests",
            dependencies: [
                "CordwoodClient", "CordwoodTesting", "LogAPI", "Records", "Faults", "Bytes",
                grpcCore, grpcTransport,
                grpcProtobuf, logging,
            ],
            swiftSettings: everyRoom),
        .testTarget(
            name: "CompressionTests", dependencies: ["Compression", "CCodecs", "Bytes"],
            exclude: ["Golden"], swiftSettings: everyRoom),
        .testTarget(
            name: "CommandsTests",
            dependencies: [
                "Commands", "CordwoodTesting", "Agent", "CordwoodClient", "Membership", "SerfCore",
                "SwimCore", "SerfWire", "PosixDisk", "Faults",
                arguments, logging,
            ],
            swiftSettings: everyRoom),
        .testTarget(
            name: "DiskTests", dependencies: ["PosixDisk", "SimulatedDisk", "Disk"],
            swiftSettings: everyRoom),
    ]
)
