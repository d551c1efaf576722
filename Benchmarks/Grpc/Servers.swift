// SPDX-License-Identifier: Apache-2.0

import Agent
import ClusterCore
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import NIOPosix
import PosixDisk

/// The two servers that are compared, each as a process of its own.
enum Servers {
    /// Serves the yardstick until the process is killed.
    static func echo() async throws {
        typealias Config = HTTP2ServerTransport.Config
        // What a node sets, too.
        var connection = Config.Connection.defaults
        connection.flushCoalescing = .init(maxFlushDelay: .microseconds(100), maxBytes: 64 << 10)
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext,
            config: .defaults {
                $0.http2.maxFrameSize = 64 << 10
                $0.http2.targetWindowSize = 1 << 20
                $0.connection = connection
            },
            eventLoopGroup: .singletonMultiThreadedEventLoopGroup)
        let server = GRPCServer(transport: transport, services: [EchoBook(), EchoLog()])
        try await withThrowingTaskGroup { group in
            group.addTask { try await server.serve() }
            let address = try await server.listeningAddress
            announce(address?.ipv4?.port ?? 0)
            try await group.waitForAll()
        }
    }

    /// Serves a node with `durability: os` until the process is killed.
    static func log(directory: String) async throws {
        var settings = Settings()
        settings.dataDirectory = directory
        settings.listen.grpcAddress.port = 0
        settings.listen.kafkaAddress = nil
        settings.gossip.bind = nil
        settings.topicDefaults.durability = .os
        settings.disk.reserveBytes = 0
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        try await NodeRunner.run(
            settings: settings, fileSystem: PosixFileSystem(), logger: logger
        ) { announce($0.grpcAddress.port) }
    }

    private static func announce(_ port: Int) {
        FileHandle.standardOutput.write(Data("\(port)\n".utf8))
    }

    /// A server in a process of its own.
    final class Child {
        private let process = Process()
        let port: Int

        init(_ arguments: [String]) throws {
            let output = Pipe()
            process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
            process.arguments = arguments
            process.standardOutput = output
            try process.run()
            var text = ""
            while !text.contains("\n") {
                let data = output.fileHandleForReading.availableData
                guard !data.isEmpty else { throw Failure("the server did not start") }
                text += String(decoding: data, as: UTF8.self)
            }
            guard let port = Int(text.prefix { $0 != "\n" }) else {
                throw Failure("no port in \(text)")
            }
            self.port = port
        }

        func stop() {
            process.terminate()
            process.waitUntilExit()
        }

        /// Resident memory in MiB, as the system tells it.
        var residentMegabytes: Double {
            let path = "/proc/\(process.processIdentifier)/status"
            guard let status = try? String(contentsOfFile: path, encoding: .utf8),
                let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
                let kilobytes = line.split(separator: " ").compactMap({ Double($0) }).first
            else { return .nan }
            return kilobytes / 1024
        }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}
