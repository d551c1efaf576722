// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Times that were measured, taken from many tasks.
final class Samples: Sendable {
    /// How often a record is followed to its acknowledgement.
    static let interval = Duration.milliseconds(1)
    /// Times that are kept; more would only take memory.
    private static let countMax = 1_000_000

    private let times = Mutex<[Duration]>([])

    /// Adds a time.
    func add(_ time: Duration) {
        times.withLock { times in
            if times.count < Self.countMax { times.append(time) }
        }
    }

    /// The times, the shortest first.
    var sorted: [Duration] { times.withLock { $0.sorted() } }
}

/// What a measurement gave.
struct BenchResult: Sendable {
    var name: String
    var records: Int
    /// Bytes of values.
    var bytes: Int
    var time: Duration
    /// The shortest first.
    var latencies: [Duration]
    /// What the latencies are of.
    var latencyOf: String

    /// The time within which so many of a hundred came.
    func percentile(_ percent: Double) -> Duration? {
        guard !latencies.isEmpty else { return nil }
        let rank = Int((Double(latencies.count) * percent / 100).rounded(.up)) - 1
        return latencies[min(latencies.count - 1, max(0, rank))]
    }

    /// Records a second.
    var rate: Double { Double(records) / max(time.seconds, 1e-9) }

    /// Bytes a second.
    var throughput: Double { Double(bytes) / max(time.seconds, 1e-9) }

    /// The result in a format.
    func text(as format: OutputFormat) -> String {
        guard format == .table else { return json.text + "\n" }
        func show(_ percent: Double) -> String {
            percentile(percent).map(HumanText.duration) ?? "-"
        }
        return """
            \(name)  \(HumanText.count(Double(records))) records in \(HumanText.duration(time))
              rate      \(HumanText.count(rate)) records/s, \(HumanText.bytes(throughput))/s
              latency   p50 \(show(50)), p99 \(show(99)), max \(show(100))  (\(latencyOf))

            """
    }

    private var json: JSON {
        func milliseconds(_ percent: Double) -> JSON {
            percentile(percent).map { .decimal($0.seconds * 1000) } ?? .null
        }
        return .object([
            .init("bench", .string(name)), .init("records", .number(records)),
            .init("bytes", .number(bytes)), .init("seconds", .decimal(time.seconds)),
            .init("records_per_second", .decimal(rate)),
            .init("bytes_per_second", .decimal(throughput)),
            .init("latency_of", .string(latencyOf)),
            .init("latency_ms_p50", milliseconds(50)), .init("latency_ms_p99", milliseconds(99)),
            .init("latency_ms_max", milliseconds(100)),
            .init("latency_samples", .number(latencies.count)),
        ])
    }
}
