// SPDX-License-Identifier: Apache-2.0

internal import Agent
internal import ArgumentParser
internal import CordwoodClient
internal import Faults

/// `cordwood bench`.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure how fast a server takes and gives records.",
        discussion: examples(
            "cordwood bench produce", "cordwood bench consume --records 5000000 --size 200"),
        subcommands: [BenchProduceCommand.self, BenchConsumeCommand.self])
}

/// What both measurements ask for.
struct BenchOptions: ParsableArguments {
    @Option(help: "How many records.")
    var records = 1_000_000

    @Option(
        help: ArgumentHelp("How large a record's value is.", valueName: "bytes"),
        transform: SizeText.bytes)
    var size = 100

    @Option(help: "How many partitions.")
    var partitions = 1

    @Option(help: "What an acknowledgement promises: fsync, interval(MS) or os.")
    var durability = "fsync"

    @Option(
        help: ArgumentHelp("At which size a batch is sent.", valueName: "bytes"),
        transform: SizeText.bytes)
    var batch = 64 << 10

    @Option(
        help: ArgumentHelp("How long a batch waits for more records.", valueName: "duration"),
        transform: DurationText.duration)
    var linger = Duration.milliseconds(5)

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    /// Refuses numbers that measure nothing.
    func check() throws(Fault) {
        guard records > 0 else { throw Fault(.invalidUsage, "there are no records to send") }
        guard size >= 8, size <= 1 << 20 else {
            throw Fault(.invalidUsage, "a record of \(size) bytes", hint: "--size 8 to 1MiB")
        }
    }

    /// How the measurement's producer gathers batches.
    var producer: ProducerOptions {
        ProducerOptions(linger: linger, batchBytesMax: batch, windowBytesMax: 16 << 20)
    }

    /// Makes a topic for the measurement, and deletes it whatever happens.
    func withTopic<Value>(
        in session: Session, _ body: (CordwoodClient, String) async throws -> Value
    ) async throws -> Value {
        let topic = "bench-\(UInt64.random(in: .min ... .max))"
        func delete() async {
            // The client of a cancelled measurement is closed, and what is left is only data.
            try? await Task {
                try await connection.withClient(in: session) { client in
                    try await client.deleteTopic(topic)
                }
            }.value
        }
        do {
            let value = try await connection.withClient(in: session) { client in
                try await client.createTopic(
                    topic, partitions: partitions, settings: ["durability": durability])
                return try await body(client, topic)
            }
            await delete()
            return value
        } catch {
            await delete()
            throw error
        }
    }

    /// Sends the records, and says how long acknowledgements took.
    func fill(
        _ topic: String, _ client: CordwoodClient, _ session: Session
    ) async throws -> BenchResult {
        let samples = Samples()
        let began = ContinuousClock.now
        // Random bytes, so that nothing on the way can make them smaller.
        var generator = SystemRandomNumberGenerator()
        let value = (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        try await client.withProducer(topic, producer) { producer in
            try await withThrowingTaskGroup(of: Void.self) { group in
                var sampled = began - Samples.interval
                for number in 0..<records {
                    let record = Record(value: value)
                    guard number & 15 == 0, case let now = ContinuousClock.now,
                        now - sampled >= Samples.interval
                    else {
                        try await producer.send(record)
                        continue
                    }
                    sampled = now
                    let delivery = try await producer.submit(record)
                    group.addTask {
                        _ = try await delivery.metadata
                        samples.add(.now - now)
                    }
                    session.talk.show(
                        ProgressLine(
                            done: number, total: records, unit: .records, elapsed: now - began))
                }
                try await producer.flush()
                try await group.waitForAll()
            }
        }
        return BenchResult(
            name: "produce", records: records, bytes: records * size, time: .now - began,
            latencies: samples.sorted, latencyOf: "acknowledgement")
    }
}

/// `cordwood bench produce`.
struct BenchProduceCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "produce", abstract: "Measure appending: records a second, and latencies.",
        discussion: examples(
            "cordwood bench produce",
            "cordwood bench produce --records 5000000 --size 200 --durability os -o json",
            "Uses a topic of its own, which is deleted afterwards."))

    @OptionGroup var options: BenchOptions

    func check() throws(Fault) { try options.check() }

    func perform(in session: Session) async throws {
        let result = try await options.withTopic(in: session) { client, topic in
            try await options.fill(topic, client, session)
        }
        session.talk.endProgress()
        try await session.output.write(result.text(as: options.output.format))
    }
}

/// `cordwood bench consume`.
struct BenchConsumeCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "consume", abstract: "Measure reading: records a second, and waits.",
        discussion: examples(
            "cordwood bench consume",
            "cordwood bench consume --records 5000000 --partitions 4 -o json",
            "Fills a topic of its own, reads it, and deletes it afterwards."))

    @OptionGroup var options: BenchOptions

    func check() throws(Fault) { try options.check() }

    func perform(in session: Session) async throws {
        let result = try await options.withTopic(in: session) { client, topic in
            session.talk.remark("filling a topic")
            _ = try await options.fill(topic, client, session)
            session.talk.remark("reading it")
            return try await client.withConsumer(topic) { consumer in
                try await read(consumer, session)
            }
        }
        session.talk.endProgress()
        try await session.output.write(result.text(as: options.output.format))
    }

    private func read(_ consumer: Consumer, _ session: Session) async throws -> BenchResult {
        let samples = Samples()
        let began = ContinuousClock.now
        var asked = began
        var count = 0
        var bytes = 0
        for try await batch in consumer.batches {
            samples.add(.now - asked)
            for record in batch.records { bytes += record.value?.count ?? 0 }
            count += batch.records.count
            asked = .now
            session.talk.show(
                ProgressLine(
                    done: count, total: options.records, unit: .records, elapsed: asked - began))
        }
        guard count == options.records else {
            throw Fault(
                .unexpectedAnswer, "\(count) records came back of \(options.records)")
        }
        return BenchResult(
            name: "consume", records: count, bytes: bytes, time: .now - began,
            latencies: samples.sorted, latencyOf: "wait for a batch")
    }
}
