// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import RaftCore
public import Simulation

/// Runs simulated clusters.
struct Cluster: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run clusters whose nodes, disks and networks fail, and check each event.",
        discussion: """
            With --seed one cluster, again and exactly; without it a hunt over fresh seeds, whose \
            first one is printed.

            A failing seed is shrunk by leaving faults out, and printed with its last 200 events.
            """)

    @Option(help: "The one seed to run.")
    var seed: UInt64?

    @Option(help: "How many seeds to run, of each profile.")
    var runs: UInt64 = 100

    @Option(help: "The first seed of a hunt; drawn at random if not given.")
    var first: UInt64?

    @Option(help: "What nodes are made of: \(Self.profiles). Both if not given.")
    var profile: ClusterProfile?

    @Option(help: "How many processes hunt at the same time.")
    var jobs = 2

    @Option(help: "For how many simulated seconds there are faults.")
    var seconds: Int64 = 20

    @Option(
        help: "Numbers of faults to leave out, as in 0-3,7.", transform: FaultNumbers.init(text:))
    var leaveOut = FaultNumbers()

    @Flag(help: "Print each event.")
    var verbose = false

    @Flag(help: "Report a failing seed as it is, without leaving faults out.")
    var noShrink = false

    @Option(help: .hidden)
    var step: UInt64 = 1

    @Flag(help: .hidden)
    var worker = false

    #if PLANTED_BUGS
        @Option(help: "The bug that all replicas have.")
        var bug: PlantedBug?
    #endif

    private static let profiles = ClusterProfile.allCases.map(\.rawValue).joined(separator: ", ")

    func validate() throws {
        guard runs > 0 else { throw ValidationError("--runs must be 1 or more") }
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs must be 1 to 64") }
        guard (1...3600).contains(seconds) else {
            throw ValidationError("--seconds must be 1 to 3600")
        }
        guard step > 0 else { throw ValidationError("--step must be 1 or more") }
    }

    func run() throws {
        if worker { return try work() }
        guard let seed else { return try hunt() }
        for profile in chosenProfiles {
            var options = options(profile)
            if verbose { options.report = { print($0) } }
            do throws(ClusterFailure) {
                let report = try ClusterSimulator.run(seed: seed, options)
                print(
                    "seed \(seed) of profile \(profile.rawValue): \(report.events) events, "
                        + "\(Hunt.seconds(report.time)) s, \(report.committed) entries committed, "
                        + "\(report.acknowledged) acknowledged, digest "
                        + String(report.digest, radix: 16))
            } catch {
                throw tell(error, options)
            }
        }
    }

    private var chosenProfiles: [ClusterProfile] {
        profile.map { [$0] } ?? ClusterProfile.allCases
    }

    private func options(_ profile: ClusterProfile) -> ClusterOptions {
        var options = ClusterOptions()
        options.profile = profile
        options.duration = seconds * 1_000_000
        options.leftOut = leaveOut.numbers
        #if PLANTED_BUGS
            options.bug = bug
        #endif
        return options
    }

    // MARK: Hunts

    private func hunt() throws {
        let first = self.first ?? UInt64.random(in: 0..<(1 << 40))
        print("seeds from \(first) on: \(runs) of each profile")
        var hunt = Hunt(jobs: jobs)
        var arguments = ["cluster", "--worker", "--seconds", "\(seconds)"]
        if let profile { arguments += ["--profile", profile.rawValue] }
        if noShrink { arguments.append("--no-shrink") }
        #if PLANTED_BUGS
            if let bug { arguments += ["--bug", bug.rawValue] }
        #endif
        guard try hunt.run(first: first, runs: runs, arguments) else { throw ExitCode.failure }
        for line in hunt.summary { print(line) }
    }

    /// Runs a part of a hunt, and says so in lines that another process reads.
    private func work() throws {
        var total = ClusterReport(digest: 0, events: 0, time: 0)
        for number in stride(from: UInt64(0), to: runs, by: UInt64.Stride(step)) {
            let seed = (first ?? 1) + number
            for profile in chosenProfiles {
                Hunt.say("seed \(seed) \(profile.rawValue)")
                do throws(ClusterFailure) {
                    total.add(try ClusterSimulator.run(seed: seed, options(profile)))
                } catch {
                    throw tell(error, options(profile))
                }
            }
        }
        Hunt.say(Hunt.line(of: total))
    }

    /// Says which seed failed, how to see it again, and what led to it.
    private func tell(_ failure: ClusterFailure, _ options: ClusterOptions) -> ExitCode {
        print(failure)
        guard !noShrink else { return .failure }
        let smallest = ClusterSimulator.shrink(failure, options)
        if smallest.leftOut.count > failure.leftOut.count {
            print(
                "of \(failure.faultCount) faults \(failure.faultCount - smallest.leftOut.count) "
                    + "are enough: \(smallest)")
        }
        var options = options
        options.leftOut = smallest.leftOut
        options.reportFrom = smallest.event > 200 ? smallest.event - 200 : 0
        if !verbose {
            options.report = { print($0) }
            print("the last events:")
            do throws(ClusterFailure) {
                _ = try ClusterSimulator.run(seed: failure.seed, options)
            } catch {
                print(error.message)
            }
        }
        let leftOut = FaultNumbers(numbers: smallest.leftOut)
        print(
            "again: simulate cluster --seed \(failure.seed) --profile \(failure.profile.rawValue)"
                + " --seconds \(seconds)"
                + (leftOut.numbers.isEmpty ? "" : " --leave-out \(leftOut.text)") + bugOption
                + " --verbose")
        return .failure
    }

    private var bugOption: String {
        #if PLANTED_BUGS
            bug.map { " --bug \($0.rawValue)" } ?? ""
        #else
            ""
        #endif
    }
}

extension ClusterProfile: ExpressibleByArgument {}

/// Numbers of faults, written as ranges.
struct FaultNumbers {
    var numbers: [Int] = []

    init() {}

    init(numbers: [Int]) { self.numbers = numbers }

    init(text: String) throws {
        for part in text.split(separator: ",") {
            let bounds = part.split(separator: "-").map { Int($0) }
            guard let first = bounds.first ?? nil, let last = bounds.last ?? nil, first >= 0,
                bounds.count <= 2, last >= first, last < 1_000_000
            else { throw ValidationError("no numbers of faults: \(part)") }
            numbers += Array(first...last)
        }
        numbers.sort()
    }

    var text: String {
        var parts: [String] = []
        var rest = numbers[...]
        while let first = rest.popFirst() {
            var last = first
            while rest.first == last + 1 { last = rest.removeFirst() }
            parts.append(first == last ? "\(first)" : "\(first)-\(last)")
        }
        return parts.joined(separator: ",")
    }
}
