// SPDX-License-Identifier: Apache-2.0

import Faults
import Foundation
import Logging
import Synchronization
import Testing

@testable import Telemetry

/// Takes lines instead of standard error.
final class Lines: Sendable {
    private let state = Mutex<[String]>([])
    private let clock = Mutex<Int64>(1_769_853_600_123)

    var all: [String] { state.withLock { $0 } }

    func advance(milliseconds: Int64) { clock.withLock { $0 += milliseconds } }

    func output(
        _ style: LogOutput.Style, limiter: RepeatLimiter = RepeatLimiter()
    ) -> LogOutput {
        LogOutput(
            identity: .init(nodeID: "n1", version: "1.2.3"), style: style, limiter: limiter,
            now: { self.clock.withLock { $0 } },
            write: { line in self.state.withLock { $0.append(line) } })
    }
}

private func object(_ line: String?) throws -> [String: Any] {
    let line = try #require(line)
    return try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
}

@Suite("Log lines")
struct LogLineTests {
    @Test("a JSON line says when, how grave, what, who and where from")
    func jsonFields() throws {
        let lines = Lines()
        var logger = lines.output(.json).logger(label: "broker")
        logger[metadataKey: "topic"] = "orders"
        logger.info("opened", metadata: ["partition": "\(3)"])

        let fields = try object(lines.all.first)
        #expect(fields["ts"] as? String == "2026-01-31T10:00:00.123Z")
        #expect(fields["level"] as? String == "info")
        #expect(fields["msg"] as? String == "opened")
        #expect(fields["logger"] as? String == "broker")
        #expect(fields["node_id"] as? String == "n1")
        #expect(fields["version"] as? String == "1.2.3")
        #expect(fields["topic"] as? String == "orders")
        #expect(fields["partition"] as? String == "3")
    }

    @Test("nested metadata is flattened, and numbers stay numbers")
    func flattening() throws {
        let lines = Lines()
        lines.output(.json).logger(label: "x").info(
            "m",
            metadata: [
                "peer": ["host": "h", "port": .stringConvertible(80)],
                "names": ["a", "b\n"],
            ])
        let fields = try object(lines.all.first)
        #expect(fields["peer.host"] as? String == "h")
        #expect(fields["peer.port"] as? Int == 80)
        #expect(fields["names"] as? [String] == ["a", "b\n"])
    }

    @Test("a fault is logged with its stable code")
    func errorCode() throws {
        let lines = Lines()
        lines.output(.json).logger(label: "x").error(
            "append failed", error: Fault(.diskFull, "no room on /data"))
        let fields = try object(lines.all.first)
        #expect(fields["error"] as? String == "no room on /data")
        #expect(fields["err_code"] as? String == "CW-2001")
    }

    @Test("metadata cannot take the place of a line's own fields")
    func reservedNames() throws {
        let lines = Lines()
        lines.output(.json).logger(label: "x").info("real", metadata: ["msg": "forged"])
        let line = try #require(lines.all.first)
        #expect(try object(line)["msg"] as? String == "real")
        #expect(try object(line)["metadata.msg"] as? String == "forged")
    }

    @Test(
        "no value ends a line or reaches the terminal's controls",
        arguments: [LogOutput.Style.json, .text(isColoured: false)])
    func injection(style: LogOutput.Style) throws {
        let lines = Lines()
        let attack = "a\n{\"level\":\"info\"}\r\u{1B}[2J\u{85}\u{2028}\u{202E}\u{0}\"\\"
        lines.output(style).logger(label: "x").info(
            "\(attack)", metadata: ["topic": "\(attack)", "\(attack)": "v", "list": ["\(attack)"]])

        #expect(lines.all.count == 1)
        let line = try #require(lines.all.first)
        #expect(line.hasSuffix("\n"))
        #expect(!line.dropLast().unicodeScalars.contains(where: LineText.isHarmful))
        if style == .json {
            #expect(try object(line)["topic"] as? String == attack)
        }
    }

    @Test("a huge value is cut, and says so")
    func hugeValue() throws {
        let lines = Lines()
        lines.output(.json).logger(label: "x").info(
            "m", metadata: ["v": "\(String(repeating: "é", count: 100_000))"])
        let value = try #require(object(lines.all.first)["v"] as? String)
        #expect(value.count < 9000)
        #expect(value.hasSuffix("(183616 bytes more)"))
    }

    @Test("text carries time, level, message and quoted values")
    func text() {
        let lines = Lines()
        lines.output(.text(isColoured: false)).logger(label: "x").warning(
            "disk low", metadata: ["free": .stringConvertible(12), "path": "/a b"])
        #expect(
            lines.all == [
                "2026-01-31T10:00:00.123Z WARN  disk low  free=12  path=\"/a b\"\n"
            ])
    }

    @Test("colours are only for terminals that want them")
    func colours() {
        typealias Case = (LogFormat, Bool, [String: String], LogOutput.Style)
        let cases: [Case] = [
            (.auto, true, [:], .text(isColoured: true)),
            (.auto, true, ["NO_COLOR": "1"], .text(isColoured: false)),
            (.auto, true, ["NO_COLOR": ""], .text(isColoured: true)),
            (.auto, true, ["TERM": "dumb"], .text(isColoured: false)),
            (.auto, false, [:], .json),
            (.text, false, [:], .text(isColoured: false)),
            (.json, true, [:], .json),
        ]
        for (format, isTerminal, environment, expected) in cases {
            #expect(
                LogOutput.style(format: format, isTerminal: isTerminal, environment: environment)
                    == expected)
        }
        let lines = Lines()
        lines.output(.text(isColoured: true)).logger(label: "x").error("m")
        #expect(lines.all.first?.contains("\u{1B}[31mERROR\u{1B}[0m") == true)
    }

    @Test("a logger's level and metadata are its own")
    func valueSemantics() {
        let lines = Lines()
        var first = lines.output(.json).logger(label: "x")
        first[metadataKey: "k"] = "1"
        var second = first
        second.logLevel = .error
        second[metadataKey: "k"] = "2"
        #expect(first.logLevel == .info)
        #expect(first[metadataKey: "k"] == "1")
        second.info("hidden")
        #expect(lines.all.isEmpty)
    }

    @Test(
        "times follow the calendar",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func calendar(milliseconds: Int64, text: String) {
        #expect(UTCTime.text(milliseconds: milliseconds) == text)
    }
}

@Suite("Repeats")
struct RepeatLimiterTests {
    @Test("a message that repeats is held back, counted and told after its window")
    func suppression() throws {
        let lines = Lines()
        let logger = lines.output(
            .json, limiter: RepeatLimiter(burst: 2, windowMilliseconds: 1000)
        ).logger(label: "x")
        for number in 0..<7 { logger.error("sync failed", metadata: ["n": "\(number)"]) }
        logger.error("another message")
        #expect(lines.all.count == 3)

        lines.advance(milliseconds: 1000)
        logger.info("later")
        #expect(lines.all.count == 5)
        let summary = try object(lines.all[3])
        #expect(summary["msg"] as? String == "sync failed")
        #expect(summary["suppressed"] as? Int == 5)
        #expect(summary["n"] as? String == "6")
        #expect(try object(lines.all[4])["msg"] as? String == "later")
    }

    @Test("what is still held back is told at the end")
    func flush() throws {
        let lines = Lines()
        let output = lines.output(.json, limiter: RepeatLimiter(burst: 1))
        let logger = output.logger(label: "x")
        for _ in 0..<3 { logger.info("m") }
        output.flush()
        #expect(try lines.all.map { try object($0)["suppressed"] as? Int } == [nil, 2])
    }

    @Test("messages beyond those that are watched pass")
    func bound() {
        let lines = Lines()
        let logger = lines.output(.json, limiter: RepeatLimiter(burst: 1, messagesMax: 2))
            .logger(label: "x")
        for round in 0..<2 {
            for message in ["a", "b", "c"] {
                logger.info("\(message)", metadata: ["r": "\(round)"])
            }
        }
        #expect(lines.all.count == 4)
    }

    @Test("no line of several threads is lost or mixed", .timeLimit(.minutes(1)))
    func threads() async throws {
        let lines = Lines()
        let logger = lines.output(.json, limiter: RepeatLimiter(burst: .max)).logger(label: "x")
        await withTaskGroup { group in
            for task in 0..<8 {
                group.addTask { for _ in 0..<100 { logger.info("m", metadata: ["t": "\(task)"]) } }
            }
        }
        #expect(lines.all.count == 800)
        for line in lines.all { _ = try object(line) }
    }
}
