// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

/// What one scenario runs in: addresses, a folder, and all that it starts; gone when it ends.
final class Rig: Sendable {
    let binary: AgentBinary
    let folder: URL
    private let addresses = AddressBlock()
    private let agents = Mutex<[AgentProcess]>([])
    private let nodes = Mutex<[SwiftNode]>([])
    private let proxies = Mutex<[ForwardingProxy]>([])

    private init(binary: AgentBinary) throws {
        try binary.require()
        self.binary = binary
        folder = FileManager.default.temporaryDirectory.appending(
            path: "serf-agents-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// Runs a scenario.
    ///
    /// When it fails, the ends of its agents' logs are part of the failure.
    static func run(
        _ binary: AgentBinary, sourceLocation: SourceLocation = #_sourceLocation,
        _ scenario: (Rig) async throws -> Void
    ) async throws {
        let rig = try Rig(binary: binary)
        do {
            try await scenario(rig)
        } catch {
            let failure = "\(error)\(rig.story)"
            await rig.end()
            Issue.record("\(failure)", sourceLocation: sourceLocation)
            return
        }
        await rig.end()
    }

    func address() -> String { addresses.next() }

    /// A real agent that has been started and answers.
    func agent(
        _ name: String, at address: String? = nil, binary: AgentBinary? = nil,
        _ adjust: (inout AgentProcess.Options) -> Void = { _ in }
    ) async throws -> AgentProcess {
        let agent = idleAgent(name, at: address, binary: binary, adjust)
        try await agent.start()
        return agent
    }

    /// One that is not started yet.
    func idleAgent(
        _ name: String, at address: String? = nil, binary: AgentBinary? = nil,
        _ adjust: (inout AgentProcess.Options) -> Void = { _ in }
    ) -> AgentProcess {
        var options = AgentProcess.Options()
        adjust(&options)
        let agent = AgentProcess(
            binary ?? self.binary, name: name, address: address ?? self.address(), folder: folder,
            options: options)
        agents.withLock { $0.append(agent) }
        return agent
    }

    /// A proxy before an agent, and the agent, which is reached only through it.
    func agentBehindProxy(
        _ name: String, _ adjust: (inout AgentProcess.Options) -> Void = { _ in }
    ) async throws -> (AgentProcess, ForwardingProxy) {
        let (shown, hidden) = (address(), address())
        let proxy = try await ForwardingProxy.start(
            at: shown, port: AgentProcess.port, target: hidden)
        proxies.withLock { $0.append(proxy) }
        let agent = try await agent(name, at: hidden) { options in
            options.advertise = "\(shown):\(AgentProcess.port)"
            adjust(&options)
        }
        return (agent, proxy)
    }

    /// A node of ours in this process, running.
    func node(
        _ name: String, at address: String? = nil,
        _ adjust: (inout SwiftNode.Options) -> Void = { _ in }
    ) async throws -> SwiftNode {
        var options = SwiftNode.Options()
        adjust(&options)
        let node = try await SwiftNode.start(
            name: name, address: address ?? self.address(), options: options)
        nodes.withLock { $0.append(node) }
        return node
    }

    private var story: String {
        let agents = agents.withLock { $0 }.map { agent in
            let end = agent.status.map { ", ended with \($0)" } ?? ""
            return "\n--- agent \(agent.name) at \(agent.address)\(end)\n\(agent.log.tail(40))"
        }
        let nodes = nodes.withLock { $0 }.map { "\n--- node \($0.name): \($0.story)" }
        return (agents + nodes).joined()
    }

    private func end() async {
        for node in nodes.withLock({ $0 }) { await node.kill() }
        for agent in agents.withLock({ $0 }) {
            // A frozen one dies as well. That it does not die in time is no reason to fail.
            try? await agent.stop()
        }
        for proxy in proxies.withLock({ $0 }) { proxy.stop() }
        try? FileManager.default.removeItem(at: folder)
    }
}
