// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A real agent as a process of its own, on an address of its own.
final class AgentProcess: Sendable {
    struct Options: Sendable {
        /// lan, wan or local; the agent's own default is lan.
        ///
        /// With local a message is sent twice only, so that in a cluster of three or more it can miss
        /// a member until the next exchange of state: good for two members, or for patience.
        var profile = "lan"
        var tags: [String: String] = [:]
        /// In base64.
        var encrypt: String?
        var keyringFile: String?
        var snapshot: String?
        var serfProtocol: Int?
        var compresses = true
        /// Where others shall reach it, as ADDRESS:PORT.
        var advertise: String?
        var join: [String] = []
        /// Further settings of its JSON file, such as `reconnect_interval`.
        var settings: [String: String] = [:]
    }

    private struct State {
        var pid: Int32 = 0
        var status: Int32?
        var ipc: SerfIPC?
    }

    static let port = 7946

    let name: String
    let address: String
    let options: Options
    let log = ProcessLog()
    private let binary: AgentBinary
    private let folder: URL
    private let state = Mutex(State())

    init(_ binary: AgentBinary, name: String, address: String, folder: URL, options: Options) {
        self.binary = binary
        self.name = name
        self.address = address
        self.folder = folder
        self.options = options
    }

    /// Where others join it.
    var endpoint: String { options.advertise ?? "\(address):\(Self.port)" }

    var isRunning: Bool { state.withLock { $0.pid != 0 && $0.status == nil } }

    /// Its exit status once it has ended.
    var status: Int32? { state.withLock { $0.status } }

    /// Starts it and waits until its IPC port answers.
    func start() async throws {
        try await launch()
        try await eventually(
            "the agent \(name) answers", within: .seconds(15), seen: self.log.tail(20)
        ) {
            guard isRunning else { throw Unexpected(description: "it ended: \(log.tail(20))") }
            _ = try await ipc()
            return true
        }
    }

    /// Starts it without waiting for anything.
    func launch() async throws {
        let pid = try await Spawner.shared.start(
            binary.path, try arguments(), log: log
        ) { [weak self] status in
            self?.ended(status)
        }
        state.withLock { $0.pid = pid }
    }

    private func arguments() throws -> [String] {
        var arguments = [
            "agent", "-node", name, "-bind", "\(address):\(Self.port)", "-rpc-addr",
            "\(address):7373", "-log-level", "debug", "-profile", options.profile,
        ]
        for (tag, value) in options.tags.sorted(by: { $0.key < $1.key }) {
            arguments += ["-tag", "\(tag)=\(value)"]
        }
        if let key = options.encrypt { arguments += ["-encrypt", key] }
        if let file = options.keyringFile { arguments += ["-keyring-file", file] }
        if let file = options.snapshot { arguments += ["-snapshot", file] }
        if let version = options.serfProtocol { arguments += ["-protocol", "\(version)"] }
        if !options.compresses { arguments.append("-disable-compression") }
        if let advertised = options.advertise { arguments += ["-advertise", advertised] }
        for address in options.join { arguments += ["-join", address] }
        if !options.settings.isEmpty {
            let file = folder.appending(path: "\(name)-\(UUID().uuidString).json")
            try JSONSerialization.data(withJSONObject: options.settings).write(to: file)
            arguments += ["-config-file", file.path]
        }
        return arguments
    }

    private func ended(_ status: Int32) {
        let ipc = state.withLock { state in
            state.status = status
            defer { state.ipc = nil }
            return state.ipc
        }
        ipc?.close()
    }

    /// The one connection that all scenarios of this agent share.
    func ipc() async throws -> SerfIPC {
        if let open = state.withLock({ $0.ipc }) { return open }
        let opened = try await SerfIPC.connect(to: address)
        let other = state.withLock { state in
            if state.ipc == nil { state.ipc = opened }
            return state.ipc
        }
        if let other, other !== opened { opened.close() }
        return other ?? opened
    }

    /// Runs a verb of the command line against it.
    @discardableResult
    func command(
        _ verb: String, _ arguments: [String] = [], within time: Duration = .seconds(30)
    ) async throws -> Finished {
        try await Finished.run(
            binary.path, [verb, "-rpc-addr=\(address):7373"] + arguments, within: time)
    }

    // MARK: Signals, to this process alone

    func kill() { signal(SIGKILL) }
    func freeze() { signal(SIGSTOP) }
    func thaw() { signal(SIGCONT) }
    /// Makes it leave, as Ctrl-C does.
    func interrupt() { signal(SIGINT) }

    private func signal(_ signal: Int32) {
        // Under the lock: once the process is known to have ended its id may be another's.
        state.withLock { state in
            guard state.pid > 0, state.status == nil else { return }
            Glibc.kill(state.pid, signal)
        }
    }

    /// Kills it and waits until it is gone, so that its address can be taken again.
    func stop() async throws {
        guard isRunning else { return }
        kill()
        try await eventually("the agent \(name) is gone", within: .seconds(10)) { !isRunning }
    }
}
