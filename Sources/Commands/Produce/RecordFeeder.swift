// SPDX-License-Identifier: Apache-2.0

internal import CordwoodClient
internal import Faults

/// Reads an input in large pieces and sends what it cuts out of them.
struct RecordFeeder {
    /// What was sent.
    struct Summary: Sendable, Equatable {
        var recordCount = 0
        /// Bytes of input.
        var byteCount = 0
        /// Where the records went, by partition; `nil` if there were too many to ask for each.
        var places: [Place]? = []
    }

    /// The records of one partition.
    struct Place: Sendable, Equatable {
        var partition: Int
        var first: Offset
        var last: Offset
    }

    /// Bytes that are read at once.
    private static let pieceBytes = 1 << 20
    /// The longest record: what a topic can be set to take.
    private static let recordBytesMax = 64 << 20
    /// Records whose places are asked for; with more of them, only their number is said.
    private static let watchedMax = 1000

    private let input: Input
    private let talk: Talk
    private let line: LineFormat
    private let isWhole: Bool
    private let isFile: Bool
    private let key: [UInt8]?
    private let headers: [Record.Header]
    private let partition: Int?

    init(_ command: ProduceCommand, input: Input, talk: Talk) throws {
        self.input = input
        self.talk = talk
        line = try command.lineFormat()
        isWhole = command.whole
        isFile = command.file != nil
        key = command.key.map { Array($0.utf8) }
        headers = command.header
        partition = command.partition
    }

    /// Sends all of the input; returns once it is as durable as the topic says.
    func feed(_ producer: Producer) async throws -> Summary {
        var run = Run()
        if isWhole {
            let bytes = try await input.readAll(limit: Self.recordBytesMax)
            run.summary.byteCount = bytes.count
            let record = Record(key: key, value: bytes, headers: headers + unterminated)
            try await send(record, to: partition, producer, &run)
        } else {
            try await feedLines(producer, &run)
        }
        try await producer.flush()
        try await settle(&run)
        return run.summary
    }

    private struct Run {
        var summary = Summary()
        var deliveries: [Delivery] = []
    }

    private func feedLines(_ producer: Producer, _ run: inout Run) async throws {
        var splitter = RecordSplitter(delimiter: line.delimiter)
        let began = ContinuousClock.now
        while true {
            let piece = try await input.read(upTo: Self.pieceBytes)
            if piece.isEmpty { break }
            run.summary.byteCount += piece.count
            splitter.append(piece)
            while let bytes = splitter.next() {
                try await send(bytes, headers, producer, &run)
            }
            guard splitter.pendingCount <= Self.recordBytesMax else {
                throw unreadable(
                    run, "it is longer than 64 MiB", hint: "Use another --delimiter.")
            }
            if !input.isTerminal {
                talk.show(
                    ProgressLine(
                        done: run.summary.byteCount, total: input.byteCount, unit: .bytes,
                        elapsed: .now - began))
            }
        }
        if let rest = splitter.takeRest() {
            try await send(rest, headers + unterminated, producer, &run)
        }
    }

    /// What marks the last record of a file that does not end in a delimiter.
    ///
    /// Lines that are typed or piped are lines, whether the last has its newline or not.
    private var unterminated: [Record.Header] {
        isFile ? [Record.Header(RecordPrinter.unterminatedHeader, [])] : []
    }

    private func send(
        _ bytes: [UInt8], _ headers: [Record.Header], _ producer: Producer, _ run: inout Run
    ) async throws {
        if line.isValueOnly {
            let record = Record(key: key, value: bytes, headers: headers)
            return try await send(record, to: partition, producer, &run)
        }
        do {
            let parts = try line.parts(of: bytes)
            let record = Record(
                key: parts.key ?? key, value: parts.value, headers: parts.headers + headers,
                timestamp: parts.timestamp)
            try await send(record, to: parts.partition ?? partition, producer, &run)
        } catch let error as LineFormat.Mismatch {
            throw unreadable(run, error.reason, hint: "Correct the line, or the --format.")
        }
    }

    private func send(
        _ record: Record, to partition: Int?, _ producer: Producer, _ run: inout Run
    ) async throws {
        run.summary.recordCount += 1
        if run.deliveries.count < Self.watchedMax {
            run.deliveries.append(try await producer.submit(record, to: partition))
        } else {
            try await producer.send(record, to: partition)
        }
    }

    /// Waits for the records that are watched, and finds out where they went.
    private func settle(_ run: inout Run) async throws {
        var places: [Int: Place] = [:]
        for delivery in run.deliveries {
            let place = try await delivery.metadata
            let known = places[place.partition]
            places[place.partition] = Place(
                partition: place.partition, first: min(known?.first ?? place.offset, place.offset),
                last: max(known?.last ?? place.offset, place.offset))
        }
        let isAll = run.deliveries.count == run.summary.recordCount
        run.summary.places = isAll ? places.values.sorted { $0.partition < $1.partition } : nil
    }

    private func unreadable(_ run: Run, _ reason: String, hint: String) -> Fault {
        Fault(
            .inputUnreadable,
            "record \(run.summary.recordCount + 1) of \(input.name) cannot be read: \(reason)",
            hint: hint)
    }
}

extension RecordFeeder.Summary {
    /// Where the records went, such as `orders[0] @ 0-9`.
    func placesText(topic: String) -> String? {
        guard let places, !places.isEmpty, places.count <= 8 else { return nil }
        return places.map { place in
            let last = place.last == place.first ? "" : "-\(place.last.rawValue)"
            return "\(topic)[\(place.partition)] @ \(place.first.rawValue)\(last)"
        }.joined(separator: ", ")
    }
}
