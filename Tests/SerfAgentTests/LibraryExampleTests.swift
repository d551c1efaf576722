// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What the page about membership promises to other projects.
extension AgentTests {
    @Test("the ten lines of the documentation run, and are those that are compiled here")
    func tenLines() async throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let page = try String(
            contentsOf: folder.appending(path: "../../docs/internals/membership.md"),
            encoding: .utf8)
        let source = try String(
            contentsOf: folder.appending(path: "LibraryExample.swift"), encoding: .utf8)
        let compiled = source.split(separator: "\n", omittingEmptySubsequences: false)
            .dropFirst(2).joined(separator: "\n")
        #expect(page.contains("```swift\n\(compiled)```"))

        try await Rig.run(AgentBinary.all[0]) { rig in
            let agent = try await rig.agent("agent") { $0.profile = "lan" }
            let (host, log) = (rig.address(), NodeLog())
            let watching = Task {
                try await watch(from: host, seeds: [agent.address], logger: log.logger)
            }
            try await wait(until: [agent], see: "db-1", as: "alive", within: .seconds(5))
            try await eventually("the example prints the agent", within: .seconds(5)) {
                !log.containing("agent \(agent.endpoint)").isEmpty
            }
            watching.cancel()
            await #expect(throws: CancellationError.self) { try await watching.value }
        }
    }
}
