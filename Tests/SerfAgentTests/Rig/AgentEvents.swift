// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What an agent tells a listener, from a moment on.
final class AgentEvents: Sendable {
    private let records = Mutex<[PackValue]>([])

    init(of agent: AgentProcess, _ type: String = "*") async throws {
        let stream = try await agent.ipc().records(.stream(type))
        Task { [weak self] in  // Ends with the agent's connection.
            for await record in stream {
                self?.records.withLock { $0.append(record) }
            }
        }
    }

    var all: [PackValue] { records.withLock { $0 } }

    /// The names of members that an event was about, such as member-failed.
    func members(_ event: String) -> [String] {
        all.filter { $0["Event"]?.text == event }
            .flatMap { $0["Members"]?.list ?? [] }
            .compactMap { $0["Name"]?.text }
    }

    /// Names and payloads of user events, in order.
    var userEvents: [(name: String, payload: [UInt8])] {
        all.filter { $0["Event"]?.text == "user" }
            .map { ($0["Name"]?.text ?? "", $0["Payload"]?.bytes ?? []) }
    }
}

extension AgentProcess: Watcher {
    func view() async throws -> [String: String] {
        let members = try await ipc().members()
        return Dictionary(members.map { ($0.name, $0.status) }) { _, last in last }
    }

    /// Answers each query of a name.
    func answer(_ query: String, with payload: [UInt8]) async throws {
        let ipc = try await ipc()
        let stream = try await ipc.records(.stream("query:\(query)"))
        Task {  // Ends with the agent's connection.
            for await record in stream {
                guard let id = record["ID"]?.integer else { continue }
                // A late answer is refused, which is for the asker to notice.
                _ = try? await ipc.ask(.respond(id, payload: payload))
            }
        }
    }
}
