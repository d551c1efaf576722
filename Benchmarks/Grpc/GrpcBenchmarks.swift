// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Measures a node's gRPC calls against a server that answers the same messages and does nothing.
///
/// Each figure is the ratio of medians of several rounds after one that is not counted; the two
/// servers take turns. Client and server are processes of their own on the same machine.
@main
struct GrpcBenchmarks {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "serve-echo" {
            return try await Task.detached { try await Servers.echo() }.value
        }
        if arguments.first == "serve-log", arguments.count == 2 {
            return try await Task.detached { try await Servers.log(directory: arguments[1]) }.value
        }
        let rounds = option("--rounds", arguments).flatMap { Int($0) } ?? 5
        let scale = option("--scale", arguments).flatMap { Double($0) } ?? 1
        let root = option("--dir", arguments) ?? ".build/benchmarks-grpc"
        let only = option("--only", arguments)
        let passes = try await measure(rounds: rounds, scale: scale, root: root, only: only)
        // Only now, when the servers were stopped.
        if !passes { exit(1) }
    }

    private static func measure(
        rounds: Int, scale: Double, root: String, only: String?
    ) async throws -> Bool {
        try? FileManager.default.removeItem(atPath: root)
        defer { try? FileManager.default.removeItem(atPath: root) }
        try warmMemory(root)
        let echo = try Servers.Child(["serve-echo"])
        defer { echo.stop() }
        let start = Date()
        let log = try Servers.Child(["serve-log", root])
        let ready = Date().timeIntervalSince(start) * 1000
        defer { log.stop() }
        var isMissed = report(
            "ready after start", ready, "ms", bound: 100, isCeiling: true,
            "the process started, its log made")
        try await Task.sleep(for: .seconds(2))
        isMissed =
            report(
                "memory of an idle server", log.residentMegabytes, "MiB", bound: 40,
                isCeiling: true, "resident") || isMissed
        let loads: [(name: String, count: Int, run: @Sendable (Load, Int) async throws -> Double)] =
            [
                ("unary single records, 64 callers", 20_000, { try await $0.unary($1) }),
                ("book's ProduceStream", 200_000, { try await $0.bookStream($1) }),
                (
                    "batch stream, 100 records a message", 2_000_000,
                    { try await $0.batchStream($1, encoded: false) }
                ),
                (
                    "batch stream, encoded batches", 4_000_000,
                    { try await $0.batchStream($1, encoded: true) }
                ),
            ]
        for load in loads where only.map(load.name.contains) ?? true {
            var plain: [Double] = []
            var ours: [Double] = []
            let count = max(400, Int(Double(load.count) * scale) / 400 * 400)
            for round in 0...rounds {
                let first = try await load.run(Load(port: echo.port), count)
                let second = try await load.run(Load(port: log.port), count)
                guard round > 0 else { continue }
                plain.append(first)
                ours.append(second)
            }
            let (yardstick, rate) = (median(plain), median(ours))
            isMissed =
                report(
                    load.name, rate / yardstick, "of an echo", bound: 0.70, isCeiling: false,
                    "\(Int(rate)) against \(Int(yardstick)) records/s") || isMissed
            if load.name.hasPrefix("batch stream") {
                isMissed =
                    report(
                        "  records on one connection", rate, "records/s", bound: 500_000,
                        isCeiling: false, "") || isMissed
            }
        }
        return !isMissed
    }

    /// Has the machine use as much page cache as the rounds will.
    ///
    /// A virtual machine pays its host some 10 µs for each page that it has not used for a while;
    /// the yardstick writes nothing and would not pay that.
    private static func warmMemory(_ root: String) throws {
        try FileManager.default.createDirectory(
            atPath: root, withIntermediateDirectories: true)
        let path = root + "/warm"
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { return }
        let block = Data(repeating: 0x61, count: 1 << 20)
        for _ in 0..<4096 { try file.write(contentsOf: block) }
        try file.close()
        try FileManager.default.removeItem(atPath: path)
    }

    /// Prints a figure; whether it misses its bound.
    private static func report(
        _ name: String, _ value: Double, _ unit: String, bound: Double, isCeiling: Bool,
        _ detail: String
    ) -> Bool {
        let passes = isCeiling ? value <= bound : value >= bound
        let shown = value >= 1000 ? "\(Int(value))" : "\((value * 100).rounded() / 100)"
        print(
            "\(passes ? "ok  " : "MISS") \(name): \(shown) \(unit) "
                + "(\(isCeiling ? "≤" : "≥") \(bound))  \(detail)")
        return !passes
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted[sorted.count / 2]
    }

    private static func option(_ name: String, _ arguments: [String]) -> String? {
        guard let place = arguments.firstIndex(of: name) else { return nil }
        return arguments.indices.contains(place + 1) ? arguments[place + 1] : nil
    }
}
