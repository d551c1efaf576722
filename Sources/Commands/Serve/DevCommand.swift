// SPDX-License-Identifier: Apache-2.0

internal import Agent
internal import ArgumentParser
internal import Disk
internal import Faults
internal import Foundation
internal import Logging
internal import PosixDisk

/// `cordwood dev`: a server for trying things out.
struct DevCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "dev", abstract: "Run a server for development, ready at once.",
        usage: "cordwood dev [options]",
        discussion: examples(
            "cordwood dev", "cordwood dev --fresh --listen 127.0.0.1:0",
            """
            Listens on this machine only, without TLS, and keeps its data in ./.cordwood-dev.
            CORDWOOD_* variables count; a configuration file does not.
            """))

    static var handlesSignals: Bool { true }

    @Flag(help: "Wipe the data of the last time first.")
    var fresh = false

    @OptionGroup var options: SettingOptions

    @Option(
        name: [.short, .customLong("output")],
        help: ArgumentHelp(
            "Say that the server is ready as json on the standard output.", valueName: "format"))
    var output = OutputFormat.table

    func perform(in session: Session) async throws {
        var defaults = Settings.development
        // What goes well is said once, by the ready line.
        defaults.log.level = .warning
        let loader = SettingsLoader(
            flags: options.flags, environment: session.environment, defaults: defaults)
        let settings = try loader.load().settings
        if fresh { try DevelopmentData.wipe(settings.dataDirectory) }
        let format = output
        try await NodeProcess.run(settings, in: session) { node in
            let ready = ReadyMessage(
                address: node.grpcAddress, kafka: node.kafkaAddress, gossip: node.gossipAddress,
                dataDirectory: settings.dataDirectory,
                time: .now - session.began)
            switch format {
            case .table: session.talk.write(ready.text(session.talk.style))
            case .json, .jsonl: session.output.writeNow(ready.json.text + "\n")
            }
        }
    }
}

/// What a server says when clients can connect.
struct ReadyMessage: Equatable {
    var address: ListenAddress
    var kafka: ListenAddress?
    var gossip: ListenAddress?
    var dataDirectory: String
    var time: Duration

    /// The message for people, with what to do next.
    func text(_ style: Style) -> String {
        let isDefault = "\(address)" == ClientOptions.defaultServer
        let export = isDefault ? "" : "  export CORDWOOD_SERVER=\(address)\n"
        let kafka = kafka.map { "kafka \(style.bold("\($0)"))    " } ?? ""
        let gossip = gossip.map { "gossip \(style.bold("\($0)"))    " } ?? ""
        return """
            \(style.green("✓")) ready in \(HumanText.duration(time))    \
            grpc \(style.bold("\(address)"))    \(kafka)\(gossip)data in \(dataDirectory) (kept; --fresh wipes it)
              no TLS, no access rules: for development only

            \(export)  echo '{"id":1}' | cordwood produce orders -k u42
              cordwood consume orders --follow
              cordwood topic list


            """
    }

    /// The message for programs.
    var json: JSON {
        .object([
            .init("address", .string("\(address)")),
            .init("kafka", kafka.map { .string("\($0)") } ?? .null),
            .init("gossip", gossip.map { .string("\($0)") } ?? .null),
            .init("data_dir", .string(dataDirectory)),
            .init("ready_ms", .decimal(time.seconds * 1000)),
        ])
    }
}

/// The folder of a server for development.
enum DevelopmentData {
    /// Says that a folder is a server's.
    private static let mark = "store.id"

    /// Removes what a server kept in a folder, and only that.
    static func wipe(_ path: String) throws(Fault) {
        let disk = PosixFileSystem()
        let names = try content(of: path, on: disk)
        if names.isEmpty { return }
        guard names.contains(mark) else {
            throw Fault(
                .dataDirectoryUnusable, "\(path) is not a data directory, so it is not wiped",
                hint: "Name another with --data-dir.")
        }
        let lock = try DataLock.take(path, on: disk)
        // The mark goes last, so that what an interruption leaves can be wiped again.
        for name in names.filter({ $0 != mark && $0 != DataLock.name }) + [mark] {
            do {
                try FileManager.default.removeItem(atPath: path + "/" + name)
            } catch {
                throw Fault(.dataDirectoryUnusable, "\(path)/\(name) cannot be removed: \(error)")
            }
        }
        withExtendedLifetime(lock) {}
    }

    private static func content(
        of path: String, on disk: PosixFileSystem
    ) throws(Fault) -> [String] {
        do throws(FileError) {
            return try disk.status(of: path) == nil ? [] : try disk.list(path)
        } catch {
            throw Fault(error)
        }
    }
}

/// The lock that keeps two programs from one data directory.
enum DataLock {
    /// The file's name.
    static let name = "lock"

    /// Takes the lock, held for as long as the value lives.
    ///
    /// - Throws: ``Faults/ErrorCode/dataDirectoryLocked`` while a server uses the directory.
    static func take(_ path: String, on disk: PosixFileSystem) throws(Fault) -> any FileLock {
        do throws(FileError) {
            if let lock = try disk.lock(path + "/" + name) { return lock }
        } catch {
            throw Fault(error)
        }
        throw Fault(.dataDirectoryLocked, "a server uses \(path)", hint: "Stop the server first.")
    }
}
