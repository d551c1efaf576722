// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
internal import DequeModule
internal import Faults
internal import GroupCore
internal import Logging
internal import Records

/// The thread that owns the groups: it takes in what happens, and carries out what follows.
struct GroupThread {
    private let coordinator: GroupCoordinator
    private let clock: BrokerClock
    private let logger: Logger
    private var core: GroupCore
    private var log: GroupLog
    private var answers: [RequestID: @Sendable (GroupResponse?) -> Void] = [:]
    private var effects: [GroupCore.Effect] = []
    /// Why there are no groups.
    private var failure: Fault?
    private var isStopping = false

    /// The longest that the thread sleeps.
    private static let waitMax: Int64 = 60_000
    /// Facts that are asked of the core at a time for a snapshot.
    private static let snapshotPartCount = 1000

    init(_ coordinator: GroupCoordinator) {
        self.coordinator = coordinator
        clock = coordinator.storage.host.clock
        logger = coordinator.storage.logger
        var random = SystemRandomNumberGenerator()
        core = GroupCore(settings: coordinator.settings, seed: random.next())
        let queue = coordinator.queue
        log = GroupLog(
            coordinator.storage, snapshotSizeMin: coordinator.snapshotSizeMin
        ) { queue.push(.storage($0)) }
    }

    /// Reads the log and serves until the coordinator is stopped.
    mutating func run() {
        load()
        while !isStopping || !log.isIdle {
            for command in coordinator.queue.takeAll(waiting: waitMilliseconds()) {
                carryOut(command)
            }
            if let deadline = core.nextDeadline, failure == nil, deadline <= clock.monotonic() {
                receive(.tick(at: now))
            }
            if log.wantsSnapshot { log.write(snapshot: Facts(core)) }
        }
        end()
    }

    private var now: GroupTime {
        GroupTime(milliseconds: clock.monotonic(), wallTime: clock.now)
    }

    private func waitMilliseconds() -> Int {
        guard failure == nil, let deadline = core.nextDeadline else { return Int(Self.waitMax) }
        return Int(max(0, min(deadline - clock.monotonic(), Self.waitMax)))
    }

    // MARK: The log

    private mutating func load() {
        do throws(Fault) {
            var core = core
            var mistake: (any Error)?
            try log.replay { fact in
                guard mistake == nil else { return }
                do throws(GroupRecordError) {
                    core.replay(try GroupRecord(key: fact.key, value: fact.value))
                } catch {
                    mistake = error
                }
            }
            if let mistake {
                throw Fault(
                    .unsupportedFormat,
                    "the log of groups holds a record that this version does not know: \(mistake)")
            }
            self.core = core
            self.core.finishReplay(at: now)
            log.endReplay(factsSize: Facts(core).reduce(0) { $0 + GroupLog.size(of: $1) })
            forgetDeletedTopics()
            coordinator.endLoading(succeeded: true)
        } catch {
            failure = error
            coordinator.endLoading(succeeded: false)
            logger.critical(
                "the groups cannot be read; nobody can be a member of one",
                metadata: ["error": "\(error.message)", "err_code": "\(error.code.text)"])
        }
    }

    /// Forgets offsets of topics that were deleted without the groups being told, by a crash.
    private mutating func forgetDeletedTopics() {
        let known = Set((coordinator.broker?.topics ?? []).map(\.topicID.number))
        for id in core.topicIDs where !known.contains(id) { receive(.topicDeleted(id, at: now)) }
    }

    /// The facts that hold, part by part, of a core that stands still.
    private struct Facts: Sequence, IteratorProtocol {
        private let core: GroupCore
        private var part: ArraySlice<GroupRecord> = []
        private var position: GroupCore.SnapshotPosition?
        private var isLast = false

        init(_ core: GroupCore) { self.core = core }

        mutating func next() -> GroupLog.Fact? {
            while part.isEmpty, !isLast {
                let (records, next) = core.snapshotRecords(
                    from: position, countMax: GroupThread.snapshotPartCount)
                part = records[...]
                position = next
                isLast = next == nil
            }
            return part.popFirst().map { (key: $0.key, value: $0.value) }
        }
    }

    // MARK: Commands

    private mutating func carryOut(_ command: GroupCoordinator.Command) {
        switch command {
        case .request(let id, let request, let answer):
            guard failure == nil, !isStopping else {
                answer(nil)
                return
            }
            answers[id] = answer
            receive(.request(id, request, at: now))
        case .abandon(let id):
            guard let answer = answers.removeValue(forKey: id) else { return }
            receive(.abandoned(id, at: now))
            answer(nil)
        case .inspect(let body):
            body(failure.map { .failure($0) } ?? .success(core))
        case .storage(let event):
            for outcome in log.note(event) {
                let token = AppendToken(rawValue: outcome.token)
                if let fault = outcome.fault {
                    logger.warning(
                        "facts of groups were not stored", metadata: ["error": "\(fault)"])
                    receive(.appendFailed(token, at: now))
                } else {
                    receive(.appended(token, at: now))
                }
            }
        case .topicDeleted(let id):
            if failure == nil, !isStopping { receive(.topicDeleted(id, at: now)) }
        case .wake:
            break
        case .stop:
            isStopping = true
        }
    }

    private mutating func receive(_ input: GroupCore.Input) {
        core.receive(input, into: &effects)
        for effect in effects {
            switch effect {
            case .answer(let id, let response):
                answers.removeValue(forKey: id)?(response)
            case .append(let records, let token):
                log.append(
                    records.map { (key: $0.key, value: $0.value) }, token: token.rawValue)
            case .observe(let observation):
                report(observation)
            }
        }
        effects.removeAll(keepingCapacity: true)
    }

    /// Answers all who still wait.
    private mutating func end() {
        coordinator.queue.close()
        for command in coordinator.queue.takeAll(waiting: 0) {
            switch command {
            case .request(_, _, let answer): answer(nil)
            case .inspect(let body): body(.failure(Broker.stopping))
            case .abandon, .storage, .topicDeleted, .wake, .stop: break
            }
        }
        for answer in answers.values { answer(nil) }
        answers = [:]
    }
}

extension GroupThread {
    private func report(_ observation: GroupObservation) {
        switch observation {
        case .rebalanceBegan(let group, let generation, let reason):
            logger.debug(
                "a group is rebalanced",
                metadata: [
                    "group": "\(group)", "generation": "\(generation)",
                    "reason": "\(reason.rawValue)",
                ])
        case .generationBegan(let group, let generation, let memberCount, let protocolName):
            logger.info(
                "a group has a new generation",
                metadata: [
                    "group": "\(group)", "generation": "\(generation)",
                    "members": "\(memberCount)", "protocol": "\(protocolName)",
                ])
        case .becameStable(let group, let generation):
            logger.debug(
                "a group is stable",
                metadata: ["group": "\(group)", "generation": "\(generation)"])
        case .becameEmpty(let group, let generation):
            logger.info(
                "the last member left a group",
                metadata: ["group": "\(group)", "generation": "\(generation)"])
        case .memberRemoved(let group, let memberID, let reason):
            logger.info(
                "a member is no longer in its group",
                metadata: [
                    "group": "\(group)", "member": "\(memberID)", "reason": "\(reason.rawValue)",
                ])
        case .groupRemoved(let group):
            logger.info("a group was removed", metadata: ["group": "\(group)"])
        case .offsetsExpired(let group, let count):
            logger.info(
                "offsets of a group have expired",
                metadata: ["group": "\(group)", "count": "\(count)"])
        case .appendFailed(let group):
            logger.warning(
                "what a group has done could not be stored", metadata: ["group": "\(group)"])
        }
    }
}

extension TopicID {
    /// The id as one number.
    var number: UInt128 { UInt128(high) << 64 | UInt128(low) }
}
