// SPDX-License-Identifier: Apache-2.0

import CordwoodClient
import CordwoodTesting
import Foundation
import Testing

@testable import Commands

@Suite("produce and consume")
struct RecordVerbTests {
    /// Runs a command line against a server.
    private func run(
        _ server: CordwoodServer, _ arguments: [String], input: [UInt8] = [],
        isTerminal: Bool = false
    ) async -> (status: ProgramStatus, captured: CapturedSession) {
        let captured = CapturedSession(
            input: input, isTerminal: isTerminal, environment: ["CORDWOOD_SERVER": server.address])
        return (await Program.run(arguments, in: captured.session), captured)
    }

    private static let contents: [[UInt8]] = [
        Array("one\ntwo\n".utf8), Array("one\ntwo".utf8), Array("\n".utf8), Array("\n\n\nx".utf8),
        Array("windows\r\nlines\r\n".utf8), [0, 0xff, 0x0a, 0xfe, 0x00], Array("x".utf8), [],
        Array(String(repeating: "a line of text\n", count: 5000).utf8),
    ]

    @Test("a file that was produced is consumed byte for byte", arguments: contents.indices)
    func sameBytes(number: Int) async throws {
        let content = Self.contents[number]
        try await withFile(content) { path in
            try await withCordwood { server in
                let produced = await run(server, ["produce", "logs", "--file", path])
                #expect(produced.status == .success, "\(produced.captured.talk)")
                #expect(produced.captured.output.isEmpty)
                let consumed = await run(server, ["consume", "logs"])
                #expect(consumed.status == .success)
                #expect(consumed.captured.bytes == content)
                #expect(consumed.captured.talk.isEmpty)
            }
        }
    }

    @Test("files that were produced one after the other are consumed as cat prints them")
    func concatenation() async throws {
        try await withCordwood(topics: ["logs"]) { server in
            for content in Self.contents {
                let produced = await run(
                    server, ["produce", "logs", "--file", "-"], input: content)
                #expect(produced.status == .success)
            }
            let consumed = await run(server, ["consume", "logs"])
            #expect(consumed.captured.bytes == Self.contents.flatMap(\.self))
        }
    }

    @Test("a file as one record is consumed byte for byte")
    func whole() async throws {
        let content = Array("one\ntwo".utf8)
        try await withCordwood { server in
            let produced = await run(
                server, ["produce", "logs", "--file", "-", "--whole"], input: content)
            #expect(produced.captured.talk.contains("1 record, 7 B"))
            #expect(await run(server, ["consume", "logs"]).captured.bytes == content)
        }
    }

    @Test("lines that are piped in are lines, whether the last has its newline or not")
    func lines() async throws {
        try await withCordwood(topics: ["logs"]) { server in
            for _ in 0..<2 {
                _ = await run(server, ["produce", "logs"], input: Array("a\nb".utf8))
            }
            #expect(await run(server, ["consume", "logs"]).captured.output == "a\nb\na\nb\n")
        }
    }

    @Test("another delimiter cuts and ends records")
    func delimiter() async throws {
        try await withCordwood { server in
            let content = Array("a\nb\0c\0".utf8)
            let produced = await run(server, ["produce", "names", "-D", #"\0"#], input: content)
            #expect(produced.captured.talk.contains("2 records"))
            let consumed = await run(server, ["consume", "names", "-D", #"\0"#])
            #expect(consumed.captured.bytes == content)
        }
    }

    @Test("keys, headers and formats go in and come out")
    func formats() async throws {
        try await withCordwood(topics: [TestTopic("orders", partitions: 3)]) { server in
            let input = Array("a|1\nb|2\n".utf8)
            let arguments = ["produce", "orders", "-f", #"%k|%v\n"#, "-H", "x=y", "-p", "2"]
            #expect(await run(server, arguments, input: input).status == .success)
            let printed = await run(
                server, ["consume", "orders", "-f", #"%t %p %o %k %v %h\n"#])
            #expect(printed.captured.output == "orders 2 0 a 1 x=y\norders 2 1 b 2 x=y\n")
            let keyed = await run(server, ["produce", "orders", "-k", "k"], input: [0x78])
            #expect(keyed.status == .success)
            let values =
                try await run(server, ["consume", "orders", "-o", "json"])
                .captured.json() as? [[String: Any]]
            #expect(values?.count == 3)
            #expect(Set(values?.compactMap { $0["key"] as? String } ?? []) == ["a", "b", "k"])
        }
    }

    @Test("a line that does not follow the format is named, and the command fails")
    func mismatch() async throws {
        try await withCordwood(topics: ["orders"]) { server in
            let produced = await run(
                server, ["produce", "orders", "-f", #"%k|%v\n"#], input: Array("a|1\nb\n".utf8))
            #expect(produced.status == .failed)
            #expect(
                produced.captured.talk.contains(
                    "record 2 of the test cannot be read: there is no '|' behind %k  [CW-6001]"))
        }
    }

    @Test(
        "reading begins and ends where it is told to",
        arguments: [
            (["--from", "-2"], "3\n4\n"), (["--from", "1", "-n", "2"], "1\n2\n"),
            (["--from", "end"], ""), (["--from", "start", "-n", "1"], "0\n"),
            (["--from", "@2020-01-01"], "0\n1\n2\n3\n4\n"), (["--from", "@2200-01-01"], ""),
        ])
    func places(arguments: [String], expected: String) async throws {
        try await withCordwood(topics: ["numbers"]) { server in
            _ = await run(server, ["produce", "numbers"], input: Array("0\n1\n2\n3\n4\n".utf8))
            let consumed = await run(server, ["consume", "numbers"] + arguments)
            #expect(consumed.status == .success)
            #expect(consumed.captured.output == expected)
        }
    }

    @Test("an offset that is not there ends with 3 and the offsets that are")
    func outOfRange() async throws {
        try await withCordwood(topics: ["numbers"]) { server in
            let consumed = await run(server, ["consume", "numbers", "--from", "99"])
            #expect(consumed.status == .notFound)
            #expect(consumed.captured.talk.contains("[CW-1007]"))
        }
    }

    @Test("a topic that is missing is created on this machine, and not with --no-create")
    func create() async throws {
        try await withCordwood { server in
            let refused = await run(server, ["produce", "orders", "--no-create"])
            #expect(refused.status == .notFound)
            let made = await run(server, ["produce", "orders"], input: Array("x\n".utf8))
            #expect(made.captured.talk.hasPrefix("created orders, 1 partition\n"))
            let missing = await run(server, ["consume", "other"])
            #expect(missing.status == .notFound)
        }
    }

    @Test("a terminal gets a line a record, and a pipe gets the values")
    func terminal() async throws {
        try await withCordwood { server in
            _ = await run(server, ["produce", "orders", "-k", "u42"], input: Array("{}\n".utf8))
            let seen = await run(server, ["consume", "orders"], isTerminal: true)
            #expect(seen.captured.output == "orders[0] @ 0  u42  {}\n")
            let raw = await run(server, ["consume", "orders", "-o", "raw"], isTerminal: true)
            #expect(raw.captured.output == "{}\n")
        }
    }

    @Test("the summary of produce is JSON where that is asked for")
    func summary() async throws {
        try await withCordwood { server in
            let produced = await run(
                server, ["produce", "orders", "-o", "json"], input: Array("a\nb\n".utf8))
            let object = try #require(try produced.captured.json() as? [String: Any])
            #expect(object["records"] as? Int == 2)
            #expect(object["bytes"] as? Int == 4)
            let places = try #require(object["partitions"] as? [[String: Int]])
            #expect(places == [["partition": 0, "first_offset": 0, "last_offset": 1]])
        }
    }

    @Test("a reader that goes away is no failure")
    func readerIsGone() async throws {
        try await withCordwood(topics: ["numbers"]) { server in
            _ = await run(server, ["produce", "numbers"], input: Array("1\n2\n".utf8))
            for more in [[], ["--follow"]] {
                let captured = CapturedSession(environment: ["CORDWOOD_SERVER": server.address])
                var session = captured.session
                session.output = Output(isTerminal: false) { _ in throw Output.ReaderIsGone() }
                let status = await Program.run(["consume", "numbers"] + more, in: session)
                #expect(status == .success)
                #expect(captured.talk.isEmpty)
            }
        }
    }

    @Test("following prints what comes, and being interrupted is how it ends")
    func follow() async throws {
        try await withCordwood(topics: ["numbers"]) { server in
            _ = await run(server, ["produce", "numbers"], input: Array("1\n".utf8))
            let (pieces, arrival) = AsyncStream<[UInt8]>.makeStream()
            let captured = CapturedSession(environment: ["CORDWOOD_SERVER": server.address])
            var session = captured.session
            session.output = Output(isTerminal: false) { arrival.yield($0) }
            let following = session
            let task = Task {
                await Program.run(["consume", "numbers", "--follow"], in: following)
            }
            var iterator = pieces.makeAsyncIterator()
            #expect(await iterator.next() == Array("1\n".utf8))
            _ = await run(server, ["produce", "numbers"], input: Array("2\n".utf8))
            #expect(await iterator.next() == Array("2\n".utf8))
            task.cancel()
            #expect(await task.value == .success)
            #expect(captured.talk.isEmpty)
        }
    }

    @Test("a file that cannot be read ends with the path and the reason")
    func missingFile() async throws {
        try await withCordwood { server in
            let produced = await run(server, ["produce", "logs", "--file", "/nowhere/at/all"])
            #expect(produced.status == .failed)
            #expect(
                produced.captured.talk.contains(
                    "/nowhere/at/all cannot be read: No such file or directory  [CW-6001]"))
        }
    }
}

/// Hands the path of a file with such a content to `body`.
func withFile<Value>(
    _ content: [UInt8], _ body: (String) async throws -> Value
) async throws -> Value {
    try await withFolder { folder in
        let path = folder + "/file"
        try Data(content).write(to: URL(fileURLWithPath: path))
        return try await body(path)
    }
}

/// Hands the path of an empty folder to `body`.
func withFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("cordwood-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder.path)
}
