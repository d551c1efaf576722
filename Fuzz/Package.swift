// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

// Fuzz targets, one a family of decoders, over the sources of the package above: a package of its own
// since all of it is built with coverage for libFuzzer. `scripts/fuzz` builds and runs it.

import PackageDescription

let everyRoom: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    // libFuzzer brings `main`; assertions stay on, since they are what is looked for.
    .unsafeFlags(["-parse-as-library", "-assert-config", "Debug"]),
]

/// A room of the package above.
func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/\(name)", swiftSettings: everyRoom)
}

/// A program that feeds bytes to decoders.
func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: "Targets/\(name)", swiftSettings: everyRoom)
}

let package = Package(
    name: "fuzz",
    targets: [
        .target(name: "CChecksum", path: "Sources/CChecksum"),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib"),
        .target(
            name: "CCodecs", path: "Sources/CCodecs", linkerSettings: [.linkedLibrary("dl")]),
        room("Bytes", ["CChecksum"]),
        room("Faults", []),
        room("Disk", []),
        room("Positions", []),
        room("Records", ["Bytes", "Positions"]),
        room("Compression", ["CCodecs", "CZlib"]),
        room("CommitLog", ["Records", "Compression", "Disk", "Bytes"]),
        room("ClusterCore", ["Faults", "Bytes"]),
        room("GroupCore", ["Records", "Bytes"]),
        room("KafkaProtocol", ["Bytes"]),
        room("SerfWire", ["Bytes", "CZlib"]),
        fuzzer("KafkaMessages", ["KafkaProtocol"]),
        fuzzer("RecordBatches", ["CommitLog", "Records", "Bytes"]),
        fuzzer("Codecs", ["Compression"]),
        fuzzer("StoredForms", ["CommitLog", "ClusterCore", "GroupCore", "Bytes"]),
        fuzzer("SerfMessages", ["SerfWire"]),
    ]
)
