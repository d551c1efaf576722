// SPDX-License-Identifier: Apache-2.0

import Foundation
import RaftCore
import RaftScenarios
import Testing

/// The stories in `Scenarios`; `REWRITE=1 swift test` writes down what happens now.
@Suite("Scenarios")
struct ScenarioTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Scenarios")

    private static let names: [String] = {
        let files =
            (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".txt") }.sorted()
    }()

    @Test("happen as they are told", arguments: names)
    func story(name: String) throws {
        let url = Self.folder.appendingPathComponent(name)
        let file = ScenarioFile(name: name, text: try String(contentsOf: url, encoding: .utf8))
        let result = file.run()
        if ProcessInfo.processInfo.environment["REWRITE"] != nil {
            try result.text.write(to: url, atomically: true, encoding: .utf8)
            #expect(result.violations.isEmpty, "\(name)")
            return
        }
        #expect(result.violations.isEmpty, "\(name)")
        if let difference = result.difference {
            Issue.record("\(name): told: \(difference.expected), happened: \(difference.actual)")
        }
        #expect(file.run().text == result.text, "the same story twice")
    }

    @Test("there are stories")
    func count() {
        #expect(Self.names.count >= 20)
    }

    @Test("a story that is told wrongly does not hold")
    func wrong() {
        let file = ScenarioFile(
            name: "wrong", text: "nodes 1\ncampaign 1\n> 1 follows nobody in term 1\n")
        let result = file.run()
        #expect(!result.holds)
        #expect(result.difference?.expected == "> 1 follows nobody in term 1")
    }
}
