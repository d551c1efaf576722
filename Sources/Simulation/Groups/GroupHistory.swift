// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import GroupCore
internal import Records

/// One history of consumer groups: clients that start, stop, pause and die, a network that loses,
/// delays, duplicates and reorders, a coordinator that crashes and starts from its log, in virtual
/// time, all drawn from a seed; and a model that says what must hold.
///
/// ```
/// GroupClients ──requests──▶ network ──▶ GroupCore ──records──▶ log ──replay──▶ GroupCore
///      ▲                                    │
///      └────────────── network ◀──answers───┴──▶ GroupModel
/// ```
///
/// First things go wrong for a while. Then nothing does, and every group must settle. Then all clients
/// die, and nothing may be left of them.
public struct GroupHistory {
    enum Event {
        case request(GroupCall, GroupRequest)
        case answer(GroupCall, GroupResponse)
        /// A client looks what there is to do: with its life.
        case wake(client: Int, life: Int)
        /// A client has waited too long for the answer to a call.
        case timeout(GroupCall)
        case heartbeat(client: Int, life: Int)
        case appendEnds(life: Int)
        case tick(life: Int)
        case chaos
        case restart
        case calm
        case settled
        case over
    }

    enum Period {
        case troubled
        case quiet
        case ending
    }

    /// A line of what happened, made into text only for a failure.
    struct Note {
        enum Detail {
            case text(String)
            case request(GroupRequest, client: Int)
        }

        var time: Int64
        var verb: StaticString
        var who: String
        var detail: Detail

        var text: String {
            let told =
                switch detail {
                case .text(let text): text
                case .request(let request, let client): "\(request.name) from client \(client)"
                }
            return "\(time) ms: \(verb) \(who) \(told)"
        }
    }

    /// A request that the coordinator has not answered.
    struct Open {
        var call: GroupCall
        var request: GroupRequest
        var receivedAt: Int64
        /// What the model knew of the group then.
        var incarnation: Int
        var syncedGeneration: Int32
        var fencedID: Bool
    }

    let seed: UInt64
    let sabotage: GroupSabotage?
    let settings: GroupHistorySettings
    var generator: SplitMix64
    var queue = EventQueue<Event>()
    var now: Int64 = 1000
    /// What the wall clock is ahead of the other one.
    var wallSkew: Int64 = 1_700_000_000_000
    var period = Period.troubled
    var clients: [GroupClient] = []
    var models: [GroupModel] = []
    /// The ids of each group's topic: a deleted one is made anew.
    var topicIDs: [UInt128] = []
    var coordinator: SabotagedCoordinator?
    /// Counts the coordinator's lives.
    var life = 0
    var nextTick: Int64?
    var idleTicks = 0
    /// Requests at the coordinator, looked up only.
    var open: [RequestID: Open] = [:]
    var lastRequest: UInt64 = 0
    var log = GroupHistoryLog()
    var lastValue: Int64 = 0
    var notes: [Note] = []
    var step = 0
    var digest: UInt64
    var isOver = false
    public internal(set) var counts = GroupHistoryCounts()

    /// A history that has not begun.
    ///
    /// - Parameter sabotage: A bug to put in.
    public init(seed: UInt64, sabotage: GroupSabotage? = nil) {
        self.seed = seed
        self.sabotage = sabotage
        generator = SplitMix64(seed: seed)
        settings = GroupHistorySettings(&generator)
        digest = seed
        for group in 0..<settings.groupCount {
            models.append(GroupModel(partitionCount: settings.partitionCount))
            topicIDs.append(UInt128(group + 1))
        }
        for number in 0..<(settings.groupCount * settings.clientCount) {
            clients.append(makeClient(number))
        }
    }

    /// Runs the history.
    ///
    /// - Returns: A number for all that happened.
    public mutating func run() throws(HistoryFailure) -> UInt64 {
        do throws(Violation) {
            try restart()
            for client in clients.indices where chance(80) { start(client, after: draw(0...500)) }
            queue.plan(.chaos, at: now)
            queue.plan(.calm, at: now + settings.duration)
            while !isOver, let (time, event) = queue.popFirst() {
                now = max(now, time)
                step += 1
                guard step < 200_000 else { throw Violation("the history has no end") }
                try perform(event)
            }
        } catch {
            throw HistoryFailure(
                seed: seed, step: step, message: error.message, lastSteps: notes.map(\.text),
                lastEffects: [])
        }
        mix(generator.next())
        return digest
    }

    private mutating func perform(_ event: Event) throws(Violation) {
        switch event {
        case .request(let call, let request): try arrive(call, request)
        case .answer(let call, let response): try hear(call, response)
        case .wake(let client, let life): wake(client, life)
        case .timeout(let call): timeOut(call)
        case .heartbeat(let client, let life): beat(client, life)
        case .appendEnds(let life):
            if life == self.life { try endAppend() }
        case .tick(let life):
            if life == self.life { try tick() }
        case .chaos: try stir()
        case .restart: try restart()
        case .calm: try calm()
        case .settled: try checkSettled()
        case .over: try checkOver()
        }
    }

    // MARK: What is drawn

    mutating func draw(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &generator)
    }

    /// True in so many cases of a hundred.
    mutating func chance(_ percent: Int) -> Bool {
        percent > 0 && draw(0...99) < percent
    }

    // MARK: What is told

    mutating func note(_ verb: StaticString, _ who: String, _ detail: String = "") {
        note(Note(time: now, verb: verb, who: who, detail: .text(detail)))
    }

    mutating func note(_ note: Note) {
        notes.append(note)
        if notes.count > 120 { notes.removeFirst(60) }
    }

    mutating func mix(_ value: UInt64) {
        digest = (digest ^ value) &* 0x9e37_79b9_7f4a_7c15
        digest ^= digest >> 29
    }

    mutating func count(_ event: WritableKeyPath<GroupHistoryCounts, Int>) {
        counts[keyPath: event] += 1
    }

    var time: GroupTime {
        GroupTime(milliseconds: now, wallTime: Timestamp(milliseconds: now + wallSkew))
    }

    static func name(_ group: Int) -> String { "g\(group)" }

    /// The number of a group by its name.
    static func number(_ name: String) -> Int { Int(name.dropFirst()) ?? 0 }

    static let topic = "t"

    // MARK: Periods

    private mutating func calm() throws(Violation) {
        note("calm", "")
        period = .quiet
        if coordinator == nil { try restart() }
        for client in clients.indices {
            clients[client].pausedUntil = min(clients[client].pausedUntil, now)
        }
        queue.plan(.settled, at: now + settings.quietPeriod)
    }
}
