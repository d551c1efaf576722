// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Membership
import SerfCore

/// The other members of a cluster, in a process of their own.
struct Neighbours {
    static let argument = "--neighbours"
    /// A network of this machine that nothing else uses.
    static let network = "127.77.0"
    static let port: UInt16 = 7946

    private let process: Process
    private let input: Pipe
    private let output: Pipe

    /// Starts some members, and waits until each sees all others.
    static func start(_ count: Int, isEncrypted: Bool = false) throws -> Neighbours {
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [argument, "\(count)"] + (isEncrypted ? ["--encrypted"] : [])
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let neighbours = Neighbours(process: process, input: input, output: output)
        guard neighbours.line() == "ready" else { throw BenchmarkError.neighboursEnded }
        return neighbours
    }

    /// What one of them is reached at.
    static let seed = "\(network).1:\(port)"

    /// Ends the process, which says what it saw: how many failures, and its processor time.
    func stop() -> String {
        // The end of its input ends it.
        try? input.fileHandleForWriting.close()
        let said = line()
        process.waitUntilExit()
        return said
    }

    /// The next line; empty if there is none.
    private func line() -> String {
        var bytes: [UInt8] = []
        while let byte = output.fileHandleForReading.readData(ofLength: 1).first {
            if byte == UInt8(ascii: "\n") { break }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: The other process

    /// The key that encrypted clusters of this benchmark have.
    static func key() throws -> GossipKey { try GossipKey(bytes: Array(0..<32)) }

    static func settings(_ number: Int, isEncrypted: Bool) throws -> SerfNodeSettings {
        var settings = SerfNodeSettings(name: "member-\(number)", profile: .lan)
        settings.bindHost = "\(network).\(number)"
        settings.bindPort = port
        settings.tags = [
            "id": "\(number)", "grpc": "\(network).\(number):8400", "cluster": "bench",
        ]
        if isEncrypted { settings.keys = [try key()] }
        return settings
    }

    static func serve(_ arguments: [String]) async throws {
        let count = arguments.count > 1 ? Int(arguments[1]) ?? 1 : 1
        let isEncrypted = arguments.contains("--encrypted")
        var nodes: [SerfNode] = []
        for number in 1...count {
            var settings = try settings(number, isEncrypted: isEncrypted)
            if number > 1 { settings.seeds = [seed] }
            let node = SerfNode(settings, logger: silent)
            try await node.start()
            nodes.append(node)
        }
        for node in nodes {
            try await eventually("all see all") {
                try await node.statistics.members[.alive] == count
            }
        }
        let failures = nodes.map { node in
            let events = node.events()
            return Task {
                var names: [String] = []
                for await case .event(.failed(let members)) in events {
                    names += members.map(\.name)
                }
                return names
            }
        }
        print("ready")
        fflush(nil)
        let began = Usage.processorSeconds()
        await inputEnded()
        let used = Usage.processorSeconds() - began
        for node in nodes { await node.close() }
        var failed = 0
        for task in failures { failed += await task.value.count }
        print("\(failed) \(used)")
    }

    /// Waits on a thread of its own, as reading blocks.
    private static func inputEnded() async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                _ = FileHandle.standardInput.readDataToEndOfFile()
                continuation.resume()
            }
        }
    }

    static var silent: Logger { Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() } }
}
