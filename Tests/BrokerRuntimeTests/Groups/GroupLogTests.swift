// SPDX-License-Identifier: Apache-2.0

import Bytes
import Faults
import Records
import SimulatedDisk
import Testing

@testable import BrokerRuntime

@Suite("The log of groups", .timeLimit(.minutes(2)))
struct GroupLogTests {
    @Test("does not touch the disk before there is a fact")
    func lazy() async throws {
        let disk = SimulatedFileSystem()
        let broker = try BrokerFixture.open(disk)
        let keeper = FactKeeper(broker)
        try keeper.start()
        #expect(try disk.status(of: "/data/facts") == nil)
        keeper.say("a", "1")
        keeper.settle()
        #expect(try disk.status(of: "/data/facts") != nil)
        #expect(keeper.outcomes == [true])
        await broker.close()
    }

    @Test("gives its facts back in order after a stop and after a power cut")
    func roundTrip() async throws {
        let disk = try durableDisk(seed: 3)
        for end in ["stop", "power cut"] {
            let broker = try BrokerFixture.open(disk)
            let keeper = FactKeeper(broker)
            try keeper.start()
            for number in 0..<50 { keeper.say("\(end) \(number % 10)", "\(number)") }
            keeper.say("\(end) 3", nil)
            keeper.settle()
            #expect(keeper.outcomes.allSatisfy { $0 })
            if end == "stop" { await broker.close() } else { await powerCut(broker, disk) }

            let again = try BrokerFixture.open(disk)
            let reader = FactKeeper(again)
            try reader.start()
            #expect(reader.state["\(end) 7"] == "47")
            #expect(reader.state["\(end) 3"] == nil)
            #expect(reader.state == keeper.state)
            await again.close()
        }
    }

    @Test("stays small however often facts change, and loses none of those that hold")
    func growth() async throws {
        let disk = SimulatedFileSystem(seed: 5)
        let broker = try BrokerFixture.open(disk)
        let keeper = FactKeeper(broker, snapshotSizeMin: 64 << 10)
        try keeper.start()
        let padding = String(repeating: "x", count: 2000)
        for number in 0..<4000 {
            keeper.say("key \(number % 7)", "\(number) \(padding)")
            if number % 50 == 0 { keeper.settle() }
        }
        keeper.settle()
        #expect(keeper.snapshotCount > 10)
        let size = try #require(keeper.partition).describe
        // A segment that is being filled, one that was just closed, and what may come between two
        // snapshots.
        #expect(await size().sizeBytes < 3 << 20)
        await broker.close()
        let again = try BrokerFixture.open(disk)
        let reader = FactKeeper(again)
        try reader.start()
        #expect(reader.state == keeper.state)
        #expect(reader.state.count == 7)
        await again.close()
    }

    @Test("writes a snapshot larger than the queue to the disk")
    func largeSnapshot() async throws {
        let disk = SimulatedFileSystem(seed: 5)
        let broker = try BrokerFixture.open(disk) { $0.queueBytesMax = 8 << 20 }
        let keeper = FactKeeper(broker, snapshotSizeMin: 16 << 20)
        try keeper.start()
        let padding = String(repeating: "x", count: 100 << 10)
        for number in 0..<200 {
            keeper.say("key \(number)", "\(number) \(padding)")
            if number % 20 == 0 { keeper.settle() }
        }
        keeper.settle()
        #expect(keeper.outcomes.allSatisfy { $0 })
        #expect(keeper.snapshotCount == 1)
        await broker.close()
        let again = try BrokerFixture.open(disk)
        let reader = FactKeeper(again)
        try reader.start()
        #expect(reader.state == keeper.state)
        await again.close()
    }

    @Test("lets go of everything when nothing holds any more")
    func emptySnapshot() async throws {
        let broker = try BrokerFixture.open(SimulatedFileSystem())
        let keeper = FactKeeper(broker, snapshotSizeMin: 1024)
        try keeper.start()
        for number in 0..<10 { keeper.say("key", String(repeating: "\(number)", count: 100)) }
        keeper.say("key", nil)
        keeper.settle()
        for _ in 0..<20 {
            keeper.say("key", nil)
            keeper.settle()
        }
        let partition = try #require(keeper.partition)
        #expect(keeper.snapshotCount > 0)
        #expect(partition.logStartOffset > .zero)
        await broker.close()
    }

    /// A disk on which the data directory itself survives.
    private func durableDisk(seed: UInt64) throws -> SimulatedFileSystem {
        let disk = SimulatedFileSystem(seed: seed)
        try disk.createDirectory("/data")
        try disk.syncDirectory("/")
        return disk
    }

    /// Stops the machine, gives up what ran on it, and turns it on again.
    private func powerCut(_ broker: Broker, _ disk: SimulatedFileSystem) async {
        if !disk.isStopped { disk.crashAfter(calls: 1) }
        await broker.close()
        disk.crash()
    }

    @Test("keeps what it acknowledged wherever the machine stops, snapshots included")
    func crashPoints() async throws {
        var stops = 0
        for call in stride(from: 1, through: 400, by: 3) {
            let disk = try durableDisk(seed: UInt64(call))
            // One life writes, the second finds what the first left, and stops in turn.
            var allowed: Set<[String: String]> = [[:]]
            for life in 0..<2 {
                let broker = try BrokerFixture.open(disk)
                let keeper = FactKeeper(broker, snapshotSizeMin: 600)
                try keeper.start()
                #expect(allowed.contains(keeper.state), "life \(life), call \(call)")
                disk.crashAfter(calls: call)
                allowed = keeper.work(count: 60, seed: UInt64(call * 2 + life))
                stops += disk.isStopped ? 1 : 0
                await powerCut(broker, disk)
            }
            let broker = try BrokerFixture.open(disk)
            let reader = FactKeeper(broker)
            try reader.start()
            #expect(allowed.contains(reader.state), "call \(call)")
            await broker.close()
        }
        #expect(stops > 50)
    }
}

/// The least that a log of groups can be used for: a dictionary that survives.
private final class FactKeeper {
    private let events = BlockingQueue<GroupLog.Event>()
    private var log: GroupLog
    private(set) var state: [String: String] = [:]
    /// By token: whether the fact was acknowledged.
    private(set) var outcomes: [Bool] = []
    private(set) var snapshotCount = 0
    private var settled = 0

    init(_ broker: Broker, snapshotSizeMin: Int = 4 << 20) {
        let events = events
        let storage = GroupStorage(
            directory: broker.directory, host: broker.host, control: broker.control,
            logger: broker.logger, folder: "facts")
        log = GroupLog(storage, snapshotSizeMin: snapshotSizeMin) { events.push($0) }
    }

    var partition: Partition? { log.partition }

    func start() throws {
        try log.replay { fact in
            let key = String(decoding: fact.key, as: UTF8.self)
            state[key] = fact.value.map { String(decoding: $0, as: UTF8.self) }
        }
        log.endReplay(factsSize: state.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count })
    }

    /// States a fact.
    func say(_ key: String, _ value: String?) {
        let token = UInt64(outcomes.count)
        outcomes.append(false)
        state[key] = value
        log.append([(key: Array(key.utf8), value: value.map { Array($0.utf8) })], token: token)
    }

    /// Waits until nothing is on its way.
    func settle() {
        while true {
            if log.wantsSnapshot {
                snapshotCount += 1
                log.write(
                    snapshot: state.sorted { $0.key < $1.key }.map {
                        (key: Array($0.key.utf8), value: Array($0.value.utf8))
                    })
            }
            guard !log.isIdle, let event = events.takeOne() else { return }
            for outcome in log.note(event) { outcomes[Int(outcome.token)] = outcome.fault == nil }
        }
    }

    /// States facts, some at once, until all are said or one is refused.
    ///
    /// - Returns: The states that may be found: the one with all that was acknowledged, and those
    ///   with more of what was said after it.
    func work(count: Int, seed: UInt64) -> Set<[String: String]> {
        var random = SplitMix64(seed: seed)
        var states = [state]
        for number in 0..<count {
            let key = "key \(Int.random(in: 0..<6, using: &random))"
            let isGone = Int.random(in: 0..<5, using: &random) == 0
            say(key, isGone ? nil : "\(seed) \(number)")
            states.append(state)
            if Int.random(in: 0..<3, using: &random) == 0 { settle() }
            if outcomes.prefix(number).contains(false), log.isIdle { break }
        }
        settle()
        let acknowledged = outcomes.lastIndex(of: true).map { $0 + 1 } ?? 0
        return Set(states[acknowledged...])
    }
}
