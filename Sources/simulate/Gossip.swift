// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import GossipSimulation

/// Runs simulated clusters of Serf nodes.
struct Gossip: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run clusters of Serf nodes whose networks fail, and check each event.",
        discussion: """
            With --seed one cluster, again and exactly; with --figures a table of what was measured \
            beside what the papers predict; otherwise a hunt over fresh seeds, whose first one is \
            printed.

            A failing seed is shrunk by leaving acts out, and printed with its last 200 events.
            """)

    @Option(help: "The one seed to run.")
    var seed: UInt64?

    @Option(help: "How many seeds to run.")
    var runs: UInt64 = 100

    @Option(help: "The first seed of a hunt; drawn at random if not given.")
    var first: UInt64?

    @Option(help: "How many nodes, 3 to 300; drawn by each seed, 3 to 10, if not given.")
    var nodes: Int?

    @Option(help: "How many processes hunt at the same time.")
    var jobs = 2

    @Option(
        help: "Numbers of acts to leave out, as in 0-3,7.", transform: FaultNumbers.init(text:))
    var leaveOut = FaultNumbers()

    @Flag(help: "Print each event.")
    var verbose = false

    @Flag(help: "Report a failing seed as it is, without leaving acts out.")
    var noShrink = false

    @Flag(help: "Measure clusters of 10, 30, 100 and 300 nodes, with 0, 5 and 25 % loss.")
    var figures = false

    @Option(help: "Measure with this loss only, in percent.")
    var loss: Int?

    @Option(help: .hidden)
    var step: UInt64 = 1

    @Flag(help: .hidden)
    var worker = false

    func validate() throws {
        guard runs > 0 else { throw ValidationError("--runs must be 1 or more") }
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs must be 1 to 64") }
        guard nodes.map((3...300).contains) ?? true else {
            throw ValidationError("--nodes must be 3 to 300")
        }
        guard loss.map((0...90).contains) ?? true else {
            throw ValidationError("--loss must be 0 to 90")
        }
        guard loss == nil || figures else { throw ValidationError("--loss is for --figures") }
        guard step > 0 else { throw ValidationError("--step must be 1 or more") }
    }

    func run() throws {
        if worker { return try work() }
        if figures { return try measure() }
        guard let seed else { return try hunt() }
        var options = options
        if verbose { options.report = { print($0) } }
        do throws(GossipFailure) {
            let report = try GossipSimulator.run(seed: seed, options)
            print(
                "seed \(seed): \(report.events) events, \(Self.seconds(report.time)) s, "
                    + "\(report.packets) packets, \(report.delivered) events delivered, "
                    + "\(report.suspicions) suspicions, digest "
                    + String(report.digest, radix: 16))
        } catch {
            throw tell(error, options)
        }
    }

    private var options: GossipOptions {
        var options = GossipOptions()
        options.nodeCount = nodes
        options.leftOut = leaveOut.numbers
        return options
    }

    private static func seconds(_ time: Int64) -> String { "\(Double(time / 10_000_000) / 100)" }

    private var nodesOption: String { nodes.map { " --nodes \($0)" } ?? "" }

    // MARK: Hunts

    private func hunt() throws {
        let first = self.first ?? UInt64.random(in: 0..<(1 << 40))
        print("seeds from \(first) on: \(runs)")
        var arguments = ["gossip", "--worker"]
        if let nodes { arguments += ["--nodes", "\(nodes)"] }
        if noShrink { arguments.append("--no-shrink") }
        let began = Date()
        let result = try Workers.run(jobs: jobs, first: first, runs: runs, arguments)
        if let failed = result.failed {
            tell(failed)
            throw ExitCode.failure
        }
        var total = GossipReport()
        for line in result.lines.joined() { if let part = Self.report(line) { total.add(part) } }
        let took = max(0.001, Date().timeIntervalSince(began))
        let never = GossipMark.allCases.filter { !total.marks.contains($0) }
        print(never.isEmpty ? "every mark was hit" : "never hit: \(never.map { "\($0)" })")
        print(
            "\(runs) runs, \(Self.hours(total.time)) simulated hours, \(total.events) events, "
                + "\(total.suspicions) suspicions, \(Int(took)) s, "
                + "\(Int(Double(total.events) / took / Double(jobs))) events/s of each process, "
                + "digest \(String(total.digest, radix: 16))")
    }

    private static func hours(_ time: Int64) -> Double { Double(time / 36_000_000_000) / 100 }

    /// Runs a part of a hunt, and says so in lines that another process reads.
    private func work() throws {
        var total = GossipReport()
        for number in stride(from: UInt64(0), to: runs, by: UInt64.Stride(step)) {
            let seed = (first ?? 1) + number
            Hunt.say("seed \(seed)")
            do throws(GossipFailure) {
                total.add(try GossipSimulator.run(seed: seed, options))
            } catch {
                throw tell(error, options)
            }
        }
        Hunt.say(Self.line(of: total))
    }

    private static func line(of report: GossipReport) -> String {
        "sum \(report.digest) \(report.events) \(report.time) \(report.packets) "
            + "\(report.delivered) \(report.suspicions) \(report.falseFailures) "
            + "\(report.marks.bits)"
    }

    private static func report(_ line: String) -> GossipReport? {
        let words = line.split(separator: " ")
        let numbers = words.dropFirst().compactMap { UInt64($0) }
        guard words.first == "sum", words.count == 9, numbers.count == 8 else { return nil }
        var report = GossipReport()
        report.digest = numbers[0]
        report.events = numbers[1]
        report.time = Int64(clamping: numbers[2])
        report.packets = Int(clamping: numbers[3])
        report.delivered = Int(clamping: numbers[4])
        report.suspicions = Int(clamping: numbers[5])
        report.falseFailures = Int(clamping: numbers[6])
        report.marks = GossipMarks(bits: numbers[7])
        return report
    }

    // MARK: Failures

    private func tell(_ failed: Workers.Failed) {
        for line in failed.lines where !line.hasPrefix("seed ") || line.contains("failed") {
            print(line)
        }
        guard failed.isTrap, let last = failed.lines.last(where: { $0.hasPrefix("seed ") }) else {
            return
        }
        let seed = last.dropFirst(5)
        var again = ["gossip", "--seed", "\(seed)", "--verbose"]
        if let nodes { again += ["--nodes", "\(nodes)"] }
        print("seed \(seed) ended the process; the last events:")
        // If there is no process for it, the command below tells as much.
        for line in ((try? Workers.output(of: again)) ?? []).suffix(220) { print(line) }
        print("again: simulate " + again.joined(separator: " "))
    }

    /// Says which seed failed, how to see it again, and what led to it.
    private func tell(_ failure: GossipFailure, _ options: GossipOptions) -> ExitCode {
        print(failure)
        guard !noShrink else { return .failure }
        let smallest = GossipSimulator.shrink(failure, options)
        if smallest.leftOut.count > failure.leftOut.count {
            print(
                "of \(failure.actCount) acts \(failure.actCount - smallest.leftOut.count) "
                    + "are enough: \(smallest)")
        }
        var options = options
        options.leftOut = smallest.leftOut
        options.reportFrom = smallest.event > 200 ? smallest.event - 200 : 0
        if !verbose {
            options.report = { print($0) }
            print("the last events:")
            do throws(GossipFailure) {
                _ = try GossipSimulator.run(seed: failure.seed, options)
            } catch {
                print(error.message)
            }
        }
        let leftOut = FaultNumbers(numbers: smallest.leftOut)
        print(
            "again: simulate gossip --seed \(failure.seed)" + nodesOption
                + (leftOut.numbers.isEmpty ? "" : " --leave-out \(leftOut.text)") + " --verbose")
        return .failure
    }

    // MARK: Figures

    private func measure() throws {
        Hunt.say(GossipFigures.heading)
        for count in nodes.map({ [$0] }) ?? [10, 30, 100, 300] {
            for loss in loss.map({ [$0] }) ?? [0, 5, 25] {
                try measure(count, loss)
            }
        }
        for line in GossipFigures.legend { Hunt.say(line) }
    }

    private func measure(_ count: Int, _ loss: Int) throws {
        let figures: GossipFigures
        do throws(GossipFailure) {
            figures = try GossipFigures.measure(
                nodeCount: count, lossPercent: loss, seed: seed ?? 1)
        } catch {
            print(error)
            throw ExitCode.failure
        }
        Hunt.say(figures.row)
        // Simulated time: no matter of the machine. With loss it may take a push/pull.
        let expected = 3 * figures.joinSecondsPredicted
        guard loss > 0 || figures.joinSeconds < expected else {
            print("a newcomer is known to all after \(figures.joinSeconds) s, not \(expected)")
            throw ExitCode.failure
        }
    }
}
