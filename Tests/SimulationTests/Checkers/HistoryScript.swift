// SPDX-License-Identifier: Apache-2.0

import Bytes
import Records
import Simulation

/// A history that can still be changed: operations, and the order of their beginnings and ends.
struct HistoryScript {
    enum Kind {
        case append(values: Range<UInt64>, sequence: ProducerSequence?, outcome: AppendOutcome)
        case poll(from: Int64, isSeek: Bool, records: [SeenRecord])
        case endRead(isLinearizable: Bool, end: Int64)
    }

    struct Event {
        var operation: Int
        var isEnd: Bool
    }

    var kinds: [Kind] = []
    var clients: [UInt64] = []
    var events: [Event] = []
    var finalLog: FinalLog?

    /// The history, by the calls that a simulator makes.
    ///
    /// - Parameter numbers: Takes the number of each operation of the script in the history.
    func recorded(_ numbers: inout [Int]) -> History {
        var history = History()
        numbers = Array(repeating: -1, count: kinds.count)
        for (time, event) in events.enumerated() {
            let id = OperationID(numbers[event.operation])
            let client = clients[event.operation]
            let now = Int64(time)
            switch (kinds[event.operation], event.isEnd) {
            case (.append(let values, let sequence, _), false):
                numbers[event.operation] =
                    history.beginAppend(
                        client: client, values: values, sequence: sequence, at: now
                    ).rawValue
            case (.append(_, _, let outcome), true):
                history.endAppend(id, outcome, at: now)
            case (.poll(let from, let isSeek, _), false):
                numbers[event.operation] =
                    history.beginPoll(
                        consumer: client, replica: 1, from: Offset(from), isSeek: isSeek, at: now
                    ).rawValue
            case (.poll(_, _, let records), true):
                history.endPoll(id, records: records, at: now)
            case (.endRead(let isLinearizable, _), false):
                numbers[event.operation] =
                    history.beginEndRead(
                        client: client, replica: 1, isLinearizable: isLinearizable, at: now
                    ).rawValue
            case (.endRead(_, let end), true):
                history.endEndRead(id, end: Offset(end), at: now)
            }
        }
        return history
    }

    func recorded() -> History {
        var numbers: [Int] = []
        return recorded(&numbers)
    }

    mutating func begin(_ kind: Kind, by client: UInt64) -> Int {
        kinds.append(kind)
        clients.append(client)
        events.append(Event(operation: kinds.count - 1, isEnd: false))
        return kinds.count - 1
    }

    mutating func end(_ operation: Int, _ kind: Kind) {
        kinds[operation] = kind
        events.append(Event(operation: operation, isEnd: true))
    }
}

/// Writes scripts of a log that does everything right, in the plainest way: one list of committed
/// values, and clients who are told of it late, in part, or not at all.
struct ReferenceLog {
    private var generator: SplitMix64
    private var script = HistoryScript()
    private var log: [UInt64] = []
    /// The lengths that the log had, ascending.
    private var borders = [0]
    private var term: UInt64 = 1
    private var nextValue: UInt64 = 100
    /// Appends that may still be committed, and those that were, with base and term.
    private var waiting: [Int] = []
    private var committed: [Int: (base: Int64, term: UInt64)] = [:]
    private var openAppends: [Int] = []
    private var openReads: [Int] = []
    private var polling: [UInt64: Int] = [:]
    private var positions: [UInt64: Int64] = [:]
    private var producers: [UInt64: (epoch: Int32, next: Int64)] = [:]

    private init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    /// A script of about so many steps.
    ///
    /// - Parameters:
    ///   - recordsMax: The most records of an append.
    ///   - readsAll: Whether a consumer reads everything at the end, and nothing is retained away.
    static func script(
        seed: UInt64, steps: Int, recordsMax: Int = 3, readsAll: Bool = false
    ) -> HistoryScript {
        var reference = ReferenceLog(seed: seed)
        for _ in 0..<steps { reference.step(recordsMax) }
        if readsAll {
            let poll = reference.script.begin(.poll(from: 0, isSeek: true, records: []), by: 99)
            reference.script.end(
                poll,
                .poll(
                    from: 0, isSeek: true,
                    records: reference.log.enumerated().map { SeenRecord(Offset(Int64($0)), $1) }))
        }
        let start = readsAll || reference.chance(2) ? 0 : reference.border(0...reference.log.count)
        reference.script.finalLog = FinalLog(
            start: Offset(Int64(start)), values: Array(reference.log[start...]))
        return reference.script
    }

    private mutating func chance(_ of: Int) -> Bool {
        Int.random(in: 0..<of, using: &generator) == 0
    }

    private mutating func border(_ range: ClosedRange<Int>) -> Int {
        borders.filter(range.contains).randomElement(using: &generator) ?? range.upperBound
    }

    private mutating func step(_ recordsMax: Int) {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0, 1: beginAppend(recordsMax)
        case 2, 3: commit()
        case 4: endAppend()
        case 5: beginRead()
        case 6: endRead()
        case 7: beginPoll()
        case 8: endPoll()
        default: if chance(3) { term += 1 }
        }
    }

    private mutating func beginAppend(_ recordsMax: Int) {
        let client = UInt64.random(in: 1...3, using: &generator)
        let count = UInt64.random(in: 1...UInt64(recordsMax), using: &generator)
        let values = nextValue..<(nextValue + count)
        nextValue += count
        var sequence: ProducerSequence?
        // The third client is no idempotent producer.
        if client < 3 {
            var state = producers[client] ?? (epoch: 0, next: 0)
            if chance(8) {
                // What was not committed under the old epoch never will be.
                waiting.removeAll { script.clients[$0] == client }
                state = (state.epoch + 1, 0)
            }
            sequence = ProducerSequence(
                producer: Int64(client), epoch: state.epoch, first: state.next)
            producers[client] = (state.epoch, state.next + Int64(count))
        }
        let operation = script.begin(
            .append(values: values, sequence: sequence, outcome: .unknown), by: client)
        waiting.append(operation)
        openAppends.append(operation)
    }

    /// Commits an append: any of the third client, the eldest of the others.
    private mutating func commit() {
        let ready = waiting.filter { operation in
            script.clients[operation] == 3
                || operation == waiting.first { script.clients[$0] == script.clients[operation] }
        }
        guard let operation = ready.randomElement(using: &generator),
            case .append(let values, _, _) = script.kinds[operation]
        else { return }
        waiting.removeAll { $0 == operation }
        committed[operation] = (Int64(log.count), term)
        log += Array(values)
        borders.append(log.count)
    }

    private mutating func endAppend() {
        guard let place = openAppends.indices.randomElement(using: &generator) else { return }
        let operation = openAppends.remove(at: place)
        guard case .append(let values, let sequence, _) = script.kinds[operation] else { return }
        var outcome = AppendOutcome.unknown
        if let (base, term) = committed[operation] {
            if !chance(6) { outcome = .acknowledged(Offset(base), Term(term)) }
        } else if sequence == nil, chance(2) {
            waiting.removeAll { $0 == operation }
            outcome = .failed
        }
        script.end(operation, .append(values: values, sequence: sequence, outcome: outcome))
    }

    /// A read keeps the length of the log at its begin until it ends.
    private mutating func beginRead() {
        let isLinearizable = !chance(3)
        openReads.append(
            script.begin(
                .endRead(isLinearizable: isLinearizable, end: Int64(log.count)), by: 10))
    }

    private mutating func endRead() {
        guard let place = openReads.indices.randomElement(using: &generator),
            case .endRead(let isLinearizable, let known) = script.kinds[openReads[place]]
        else { return }
        let end = isLinearizable ? border(Int(known)...log.count) : border(0...log.count)
        script.end(
            openReads.remove(at: place),
            .endRead(isLinearizable: isLinearizable, end: Int64(end)))
    }

    private mutating func beginPoll() {
        let consumer = UInt64.random(in: 20...21, using: &generator)
        guard polling[consumer] == nil else { return }
        var from = positions[consumer] ?? 0
        let isSeek = chance(5)
        if isSeek { from = Int64.random(in: 0...Int64(log.count), using: &generator) }
        polling[consumer] = script.begin(
            .poll(from: from, isSeek: isSeek, records: []), by: consumer)
    }

    private mutating func endPoll() {
        let consumer = UInt64.random(in: 20...21, using: &generator)
        guard let operation = polling[consumer],
            case .poll(let from, let isSeek, _) = script.kinds[operation]
        else { return }
        polling[consumer] = nil
        // A poll that fails has no end, and leaves the consumer where it was.
        if chance(8) { return }
        let count = min(Int.random(in: 0...4, using: &generator), log.count - Int(from))
        let records = (from..<(from + Int64(count))).map { SeenRecord(Offset($0), log[Int($0)]) }
        positions[consumer] = from + Int64(count)
        script.end(operation, .poll(from: from, isSeek: isSeek, records: records))
    }
}
