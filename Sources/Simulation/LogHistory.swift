// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CommitLog
internal import Disk
internal import Records
internal import SimulatedDisk

/// One history of a log on a failing disk: steps drawn from a seed, and a model that says after
/// each of them what must hold.
///
/// ```
/// seed ──▶ steps ──▶ Log ──▶ SimulatedFileSystem     append, sync, read, retain, crash, …
///            │        │
///            └▶ LogModel ◀── compare                  acknowledged is there, in order, whole
/// ```
///
/// The log runs as it does in production; only the disk, the clock and the salts are the
/// simulator's. Equal seeds give equal histories, whose effects have equal digests.
public struct LogHistory {
    static let directory = "/log"
    private static let group: UInt64 = 0x1234_5678_9abc_def0

    let seed: UInt64
    let sabotage: Sabotage?
    var generator: SplitMix64
    var settings: HistorySettings
    let disk: SimulatedFileSystem
    let files: any FileSystem
    var model = LogModel()
    var log: Log?
    var now: Int64 = 1_000_000
    var recordCount = 0
    var producers: [HistoryProducer]
    /// The log may not know all producers again at its next start.
    var mayForgetProducers = false
    /// A sync that was begun, what it covers, and its result once it ran.
    var ticket: SyncTicket?
    var ticketEnd: Int64 = 0
    var ticketStart: Int64 = 0
    var ticketResult: Result<Void, FileError>?
    var removal: SegmentRemoval?
    /// Snapshots that readers still use.
    var snapshots: [LogSnapshot] = []
    /// The log has failed, or the machine has stopped: only an end of this life helps.
    var isOver = false
    var steps: [String] = []
    var step = 0
    public private(set) var counts = HistoryCounts()

    /// A history that has not begun.
    ///
    /// - Parameter sabotage: A bug to put in.
    public init(seed: UInt64, sabotage: Sabotage? = nil) {
        self.seed = seed
        self.sabotage = sabotage
        generator = SplitMix64(seed: seed)
        settings = HistorySettings(&generator, sabotage)
        producers = settings.firstSequences.enumerated().map { number, sequence in
            HistoryProducer(id: Int64(number), sequence: sequence)
        }
        let disk = SimulatedFileSystem(seed: generator.next())
        self.disk = disk
        files = sabotage.map { SabotagedFileSystem(disk, $0) } ?? disk
        disk.traceLast(30)
    }

    /// Runs the history.
    ///
    /// - Parameter stepCount: How many steps it has.
    /// - Returns: A number for all that happened.
    public mutating func run(steps stepCount: Int) throws(HistoryFailure) -> UInt64 {
        do throws(Violation) {
            try prepare()
            while step < stepCount {
                try takeStep()
                step += 1
            }
            try finish()
        } catch {
            throw HistoryFailure(
                seed: seed, step: step, message: error.message, lastSteps: steps,
                lastEffects: disk.trace)
        }
        return digest
    }

    private var digest: UInt64 {
        var mixed = SplitMix64(seed: disk.effectsDigest ^ UInt64(bitPattern: model.end))
        var drawn = generator
        return mixed.next() ^ UInt64(bitPattern: model.promised) ^ drawn.next()
    }

    mutating func note(_ text: String) {
        steps.append("\(step): \(text)")
        if steps.count > 50 { steps.removeFirst() }
    }

    mutating func count(_ event: WritableKeyPath<HistoryCounts, Int>) {
        counts[keyPath: event] += 1
    }

    mutating func draw(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &generator)
    }

    /// True in so many cases of a hundred.
    mutating func chance(_ percent: Int) -> Bool {
        draw(0...99) < percent
    }

    /// Makes a call whose failure is looked at like any other answer.
    func answer<Value>(_ call: () throws(LogError) -> Value) -> Result<Value, LogError> {
        do throws(LogError) {
            return .success(try call())
        } catch {
            return .failure(error)
        }
    }

    /// Opens the log as a server does when it starts.
    mutating func makeLog() throws(LogError) -> Log {
        var log = settings.log
        if sabotage == .forgetsProducers { log.producerExpiry = -1 }
        return try Log(
            directory: Self.directory, group: Self.group, on: files, settings: log,
            now: Timestamp(milliseconds: now), seed: generator.next())
    }

    private mutating func prepare() throws(Violation) {
        do throws(FileError) {
            try disk.createDirectory(Self.directory)
            try disk.syncDirectory("/")
        } catch {
            throw Violation("the directory cannot be made: \(error)")
        }
        try reopen(after: .powerCut)
    }

    /// Ends the history: a last end of the machine, and everything must be there.
    private mutating func finish() throws(Violation) {
        note("end of the history")
        disk.faults = FaultPlan()
        disk.crashAfter(calls: nil)
        try crash(chance(50) ? .powerCut : .processEnd)
    }
}

/// How often the rare things happened: a history that never crashes proves little.
public struct HistoryCounts: Sendable, Equatable {
    public var appends = 0
    public var appendFailures = 0
    public var syncs = 0
    public var syncFailures = 0
    public var reads = 0
    public var timeReads = 0
    public var rolls = 0
    public var deletions = 0
    public var removals = 0
    public var configurations = 0
    public var cachedReads = 0
    public var cleanStops = 0
    public var powerCuts = 0
    public var processEnds = 0
    public var stopsInCall = 0
    public var failedOpens = 0
    public var tornTails = 0
    public var revivals = 0
    public var produced = 0
    public var duplicates = 0
    public var refusals = 0
    public var acknowledgements = 0
    public var epochs = 0
    public var harmedSnapshots = 0
    public var fileSystemSyncs = 0
    public var rebuiltIndexes = 0

    /// No events.
    public init() {}

    /// The sums of two counts.
    public static func + (left: HistoryCounts, right: HistoryCounts) -> HistoryCounts {
        var sum = left
        for event in all { sum[keyPath: event.path] += right[keyPath: event.path] }
        return sum
    }

    private static var all: [(name: String, path: WritableKeyPath<HistoryCounts, Int>)] {
        [
            ("appends", \.appends), ("append failures", \.appendFailures), ("syncs", \.syncs),
            ("sync failures", \.syncFailures), ("reads", \.reads), ("time reads", \.timeReads),
            ("rolls", \.rolls), ("deletions", \.deletions), ("removals", \.removals),
            ("configurations", \.configurations), ("cached reads", \.cachedReads),
            ("clean stops", \.cleanStops), ("power cuts", \.powerCuts),
            ("process ends", \.processEnds), ("stops in a call", \.stopsInCall),
            ("failed opens", \.failedOpens), ("torn tails", \.tornTails),
            ("revivals of refused batches", \.revivals),
            ("batches of idempotent producers", \.produced),
            ("duplicates of them", \.duplicates), ("refusals of them", \.refusals),
            ("acknowledgements of them", \.acknowledgements),
            ("new epochs of producers", \.epochs),
            ("harmed snapshots of producers", \.harmedSnapshots),
            ("syncs of the file system", \.fileSystemSyncs),
            ("rebuilt indexes", \.rebuiltIndexes),
        ]
    }

    /// The events and their numbers, in a fixed order.
    public var lines: [(name: String, count: Int)] {
        Self.all.map { ($0.name, self[keyPath: $0.path]) }
    }
}
