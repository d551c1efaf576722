// SPDX-License-Identifier: Apache-2.0

import Faults
import Foundation
import Testing

@testable import Commands

@Suite("The program")
struct ProgramTests {
    @Test("version prints one line, or JSON")
    func version() async throws {
        let plain = CapturedSession()
        #expect(await plain.run("version") == .success)
        #expect(plain.output == "cordwood \(Version.number)\n")
        #expect(plain.talk.isEmpty)

        let json = CapturedSession()
        #expect(await json.run("version", "--json") == .success)
        let object = try #require(try json.json() as? [String: Any])
        #expect(object["version"] as? String == Version.number)
    }

    @Test("a command that does not exist is refused with the nearest one")
    func unknownCommand() async {
        let captured = CapturedSession()
        #expect(await captured.run("prodcue", "orders") == .usage)
        #expect(
            captured.talk == """
                error: there is no command 'cordwood prodcue'  [CW-6003]
                  why: The commands of cordwood are: dev, serve, produce, consume, topic, group, \
                members, config, bench, debug, errors, completion, version.
                  try: cordwood produce

                """)
        #expect(captured.output.isEmpty)
    }

    @Test("a command of a group that does not exist is refused with the nearest one")
    func unknownSubcommand() async {
        let captured = CapturedSession()
        #expect(await captured.run("topic", "crate", "orders") == .usage)
        #expect(captured.talk.contains("there is no command 'cordwood topic crate'  [CW-6003]"))
        #expect(captured.talk.contains("try: cordwood topic create\n"))
    }

    @Test(
        "wrong usage ends with 2 and three lines",
        arguments: [
            ["consume", "orders", "--folow"], ["consume"], ["consume", "orders", "-n", "many"],
            ["consume", "orders", "--from", "soon"], ["topic", "list", "-o", "xml"],
            ["produce", "orders", "--timeout", "5"], ["produce", "orders", "-H", "nothing"],
            ["consume", "orders", "-n", "0"], ["consume", "orders", "-f", "%q"],
            ["produce", "orders", "-k", "a", "-f", "%k %v\\n"],
            ["produce", "orders", "--whole", "-D", ";"], ["topic", "delete", "orders", "extra"],
        ])
    func wrongUsage(arguments: [String]) async {
        let captured = CapturedSession()
        #expect(await Program.run(arguments, in: captured.session) == .usage)
        let lines = captured.talk.split(separator: "\n")
        #expect(lines.count == 3, "\(captured.talk)")
        #expect(lines.first?.hasPrefix("error: ") == true)
        #expect(lines.first?.hasSuffix("  [CW-6003]") == true)
        #expect(lines.dropFirst().first?.hasPrefix("  why: ") == true)
        #expect(lines.last?.hasPrefix("  try: ") == true)
        #expect(captured.output.isEmpty)
    }

    @Test("a misspelt option is answered with the nearest one")
    func misspeltOption() async {
        let captured = CapturedSession()
        #expect(await captured.run("consume", "orders", "--folow") == .usage)
        #expect(
            captured.talk.contains("did you mean '--follow'?")
                || captured.talk.contains("Did you mean '--follow'?"))
        #expect(captured.talk.contains("try: cordwood consume --help"))
    }

    @Test("a server that is not there ends with 6 and says how to start one")
    func unreachable() async {
        // Port 1 is nobody's: binding it takes privileges, and nothing of a test has it.
        let captured = CapturedSession(environment: ["CORDWOOD_SERVER": "127.0.0.1:1"])
        #expect(await captured.run("topic", "list") == .unavailable)
        #expect(captured.talk.contains("[CW-5001]"))
        #expect(captured.talk.contains("cordwood dev"))
    }

    @Test("a server that is silent ends with 5 when the time is up")
    func silent() async throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer -> UInt16 in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { any in
                _ = bind(listener, any, size)
                _ = listen(listener, 8)
                _ = getsockname(listener, any, &size)
            }
            return UInt16(bigEndian: pointer.pointee.sin_port)
        }
        let captured = CapturedSession(environment: ["CORDWOOD_SERVER": "127.0.0.1:\(port)"])
        #expect(await captured.run("topic", "list", "--timeout", "200ms") == .timeout)
        #expect(captured.talk.contains("[CW-5002]"))
    }

    @Test("a group of commands shows its help")
    func group() async {
        let captured = CapturedSession()
        #expect(await captured.run("topic") == .success)
        #expect(captured.output.contains("SUBCOMMANDS:"))
        #expect(captured.output.contains("describe"))
    }

    @Test("each code is explained, and a list has all")
    func errors() async throws {
        let one = CapturedSession()
        #expect(await one.run("errors", "explain", "cw-1007") == .success)
        #expect(one.output.hasPrefix("CW-1007  "))
        #expect(one.output.contains("\n  try: "))

        let unknown = CapturedSession()
        #expect(await unknown.run("errors", "explain", "CW-9999") == .failed)

        let list = CapturedSession()
        #expect(await list.run("errors", "list", "-o", "json") == .success)
        let all = try #require(try list.json() as? [[String: Any]])
        #expect(all.count == ErrorCode.allCases.count)
        #expect(all.allSatisfy { $0["exit_status"] is Int && $0["remedy"] is String })
    }

    @Test("completion scripts name the commands", arguments: ["bash", "zsh", "fish"])
    func completion(shell: String) async {
        let captured = CapturedSession()
        #expect(await captured.run("completion", shell) == .success)
        #expect(captured.output.contains("produce"))
        #expect(captured.output.contains("follow"))
    }

    @Test("every error code has an exit status of its kind")
    func statuses() {
        #expect(ProgramStatus(.topicNotFound) == .notFound)
        #expect(ProgramStatus(.unreachable) == .unavailable)
        #expect(ProgramStatus(.deadlineExceeded) == .timeout)
        #expect(ProgramStatus(.plaintextRefused) == .denied)
        #expect(ProgramStatus(.invalidUsage) == .usage)
        #expect(ProgramStatus(.topicExists) == .failed)
        #expect(ErrorCode.allCases.allSatisfy { ProgramStatus($0) != .success })
    }
}
