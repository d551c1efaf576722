// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Testing

@testable import Commands

@Suite("The help")
struct HelpTests {
    static let paths = CommandReference.commands().map(\.path)

    @Test("every command's help opens with two examples that parse", arguments: paths)
    func examples(path: String) async throws {
        let words = path.split(separator: " ").dropFirst().map(String.init)
        let captured = CapturedSession()
        #expect(await Program.run(words + ["--help"], in: captured.session) == .success)
        let lines = captured.output.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.first?.hasPrefix("OVERVIEW: ") == true)
        // A summary, an empty line, and the examples.
        let shown = lines.dropFirst().drop { $0.isEmpty }.prefix(2)
        for line in shown {
            #expect(line.hasPrefix("  "), "\(line)")
            let start = try #require(line.firstRange(of: "cordwood "), "\(line)").upperBound
            let arguments = Self.arguments(line[start...])
            #expect(throws: Never.self, "\(line)") {
                _ = try CordwoodCommand.parseAsRoot(arguments)
            }
        }
        #expect(shown.count == 2)
    }

    @Test("every command is in the reference page, with its options")
    func reference() {
        let page = CommandReference.markdown()
        for path in Self.paths { #expect(page.contains("\n## `\(path)`\n"), "\(path)") }
        #expect(page.contains("--at-most-once"))
        #expect(!page.contains("cordwood reference"))
    }

    @Test("the page of Kafka's requests has a row for each, with its versions")
    func kafka() async {
        let captured = CapturedSession()
        #expect(await captured.run("reference", "kafka") == .success)
        #expect(captured.output.contains("\n| 0 | Produce | 0 to 11 |\n"))
        #expect(captured.output.contains("\n| 47 | OffsetDelete | 0 |\n"))
    }

    /// What a shell would make of an example, up to a pipe.
    static func arguments(_ text: Substring) -> [String] {
        var arguments: [String] = []
        var word = ""
        var isQuoted = false
        for character in text {
            switch character {
            case "'": isQuoted.toggle()
            case " " where !isQuoted:
                arguments.append(word)
                word = ""
            default: word.append(character)
            }
        }
        arguments.append(word)
        return Array(arguments.prefix { $0 != "|" && $0 != ">" })
    }
}
