// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import RaftCore
internal import Records

// What clients do, and what they are told.
extension ClusterRun {
    /// A client begins something, or does not, and comes back.
    mutating func act(_ number: Int) {
        guard !isCalm else { return }
        let mean =
            plan.clients.hasPauses && chanceOfClients.happens(percent: 1)
            ? 4_000_000 : plan.clients.thinkMean
        queue.plan(.client(number), at: now + 1 + chanceOfClients.exponential(mean: mean))
        guard clients[number].inFlight < plan.clients.inFlightMax else { return }
        let chance = chanceOfClients.pick(0...99)
        let kind: ClusterOperation.Kind =
            chance < plan.clients.pollPercent
            ? .poll
            : chance < plan.clients.pollPercent + plan.clients.readPercent ? .endRead : .append
        guard kind != .poll || !clients[number].isPolling else { return }
        begin(kind, number)
    }

    /// A client appends, wherever it believes the leader to be.
    mutating func appendProbe(_ number: Int, to slot: Int?) {
        if let slot { clients[number].guess = slot }
        begin(.append, number)
    }

    private mutating func begin(_ kind: ClusterOperation.Kind, _ number: Int) {
        let operation = operations.count
        let count = chanceOfClients.pick(1...plan.clients.recordsMax)
        let value = UInt64(operation) << 8
        let proposal = Proposal(
            operation: operation, value: value, count: count,
            bytes: 128 + count * chanceOfClients.pick(1...plan.clients.recordBytesMax))
        let id: OperationID
        var node = clients[number].guess
        switch kind {
        case .append:
            id = history.beginAppend(
                client: UInt64(number), values: value..<(value + UInt64(count)), at: now)
        case .endRead:
            id = history.beginEndRead(
                client: UInt64(number), replica: 0, isLinearizable: true, at: now)
        case .poll:
            node = chanceOfClients.pick(0...(slots.count - 1))
            clients[number].isPolling = true
            id = history.beginPoll(
                consumer: UInt64(number), replica: UInt64(node) + 1,
                from: Offset(clients[number].position), isSeek: clients[number].isSeeking, at: now)
        }
        operations.append(
            ClusterOperation(kind: kind, client: number, proposal: proposal, id: id))
        clients[number].inFlight += 1
        let timeout = isCalm ? max(5_000_000, plan.clients.timeout) : plan.clients.timeout
        queue.plan(.timeout(operation: operation), at: now + timeout)
        ask(operation, node)
    }

    private mutating func ask(_ operation: Int, _ slot: Int, after pause: Int64 = 0) {
        operations[operation].attempt += 1
        queue.plan(
            .request(
                slot: slot, operation: operation, attempt: operations[operation].attempt),
            at: now + pause + network.latency())
    }

    /// A request reaches a node.
    mutating func request(_ slot: Int, _ operation: Int, _ attempt: Int) throws(Violation) {
        guard !operations[operation].isOver, operations[operation].attempt == attempt else {
            return
        }
        guard slots[slot].node.isUp else {
            return queue.plan(
                .answer(
                    operation: operation, attempt: attempt, .refused(leader: nil)),
                at: now + network.latency())
        }
        guard now >= slots[slot].pausedUntil else {
            return queue.plan(
                .request(slot: slot, operation: operation, attempt: attempt),
                at: slots[slot].pausedUntil)
        }
        switch operations[operation].kind {
        case .append: try gather(operation, slot)
        case .endRead:
            operations[operation].committedBefore = oracle.committedEnd
            try act(slot) { node, outputs throws(Violation) in
                try node.receive(.read(operation: operation), &outputs)
            }
        case .poll:
            let answer = try slots[slot].node.poll(
                from: clients[operations[operation].client].position, recordsMax: 64)
            queue.plan(
                .polled(operation: operation, attempt: attempt, answer),
                at: now + network.latency())
        }
    }

    private mutating func gather(_ operation: Int, _ slot: Int) throws(Violation) {
        operations[operation].mayBeDone = true
        slots[slot].inbox.append(operations[operation].proposal)
        let life = slots[slot].life
        if slots[slot].inbox.count >= plan.clients.batchMax || plan.clients.linger == 0 {
            return try hand(slot, life)
        }
        guard !slots[slot].hasPlannedProposals else { return }
        slots[slot].hasPlannedProposals = true
        queue.plan(.propose(slot: slot, life: life), at: now + plan.clients.linger)
    }

    /// A node takes up the proposals that have gathered.
    mutating func hand(_ slot: Int, _ life: Int) throws(Violation) {
        guard slots[slot].life == life, slots[slot].node.isUp else { return }
        slots[slot].hasPlannedProposals = false
        guard now >= slots[slot].pausedUntil, !slots[slot].inbox.isEmpty else {
            if !slots[slot].inbox.isEmpty {
                slots[slot].hasPlannedProposals = true
                queue.plan(.propose(slot: slot, life: life), at: slots[slot].pausedUntil)
            }
            return
        }
        let proposals = slots[slot].inbox
        slots[slot].inbox = []
        note { "at \(slot + 1): \(proposals.count) proposals" }
        try act(slot) { node, outputs throws(Violation) in
            try node.propose(proposals, &outputs)
        }
    }

    /// A node answers.
    mutating func reply(
        _ answer: OperationAnswer, to operation: Int, from slot: Int
    ) throws(Violation) {
        switch answer {
        case .acknowledged(let index, let term, let offset):
            let proposal = operations[operation].proposal
            try oracle.acknowledged(
                index, term, offset: offset, value: proposal.value, count: proposal.count)
        case .read(let index, let end):
            guard end >= operations[operation].committedBefore else {
                throw Violation(
                    "node \(slot + 1) says that the log ends at \(end) (entry \(index)), and "
                        + "\(operations[operation].committedBefore) was committed before")
            }
            guard end <= oracle.committedEnd else {
                throw Violation("the log is said to end at \(end), which is not committed")
            }
        case .refused, .unknown: break
        }
        guard !operations[operation].isOver else { return }
        queue.plan(
            .answer(operation: operation, attempt: operations[operation].attempt, answer),
            at: now + network.latency())
    }

    /// A client is answered.
    mutating func take(
        _ answer: OperationAnswer, _ operation: Int, _ attempt: Int
    ) throws(Violation) {
        guard !operations[operation].isOver, operations[operation].attempt == attempt else {
            return
        }
        let id = operations[operation].id
        switch answer {
        case .acknowledged(_, let term, let offset):
            operations[operation].isAcknowledged = true
            marks.insert(.appendAcknowledged)
            history.endAppend(id, .acknowledged(Offset(offset), term), at: now)
            end(operation)
        case .read(_, let offset):
            marks.insert(.endRead)
            history.endEndRead(id, end: Offset(offset), at: now)
            end(operation)
        case .unknown:
            marks.insert(.appendUnknown)
            if operations[operation].kind == .append {
                history.endAppend(id, .unknown, at: now)
            }
            end(operation)
        case .refused(let leader):
            operations[operation].mayBeDone = false
            let client = operations[operation].client
            clients[client].guess =
                leader.map { Int($0) - 1 } ?? chanceOfClients.pick(0...(slots.count - 1))
            guard operations[operation].kind != .poll, operations[operation].attempt < 8,
                !isCalm || operations[operation].attempt < 3
            else {
                if operations[operation].kind == .append {
                    marks.insert(.appendRefused)
                    history.endAppend(id, .failed, at: now)
                }
                return end(operation)
            }
            // Who is sent from node to node takes its time.
            let pause = operations[operation].attempt > 1 ? Int64(20_000) : 0
            ask(operation, clients[client].guess, after: chanceOfClients.exponential(mean: pause))
        }
    }

    /// A client gets records.
    mutating func take(_ answer: PollAnswer, _ operation: Int, _ attempt: Int) {
        guard !operations[operation].isOver, operations[operation].attempt == attempt else {
            return
        }
        let client = operations[operation].client
        switch answer {
        case .records(let records, let next):
            marks.insert(.polled)
            history.endPoll(
                operations[operation].id,
                records: records.map { SeenRecord(Offset($0.offset), $0.value) }, at: now)
            clients[client].position = next
            clients[client].isSeeking = false
        case .outOfRange(let start):
            marks.insert(.pollOutOfRange)
            clients[client].position = start
            clients[client].isSeeking = true
        }
        end(operation)
    }

    /// A client waits no longer.
    mutating func timeOut(_ operation: Int) {
        guard !operations[operation].isOver else { return }
        if operations[operation].kind == .append {
            let mayBeDone = operations[operation].mayBeDone
            if mayBeDone { marks.insert(.appendUnknown) }
            history.endAppend(
                operations[operation].id, mayBeDone ? .unknown : .failed, at: now)
        }
        clients[operations[operation].client].guess = chanceOfClients.pick(0...(slots.count - 1))
        end(operation)
    }

    private mutating func end(_ operation: Int) {
        let client = operations[operation].client
        operations[operation].isOver = true
        clients[client].inFlight -= 1
        if operations[operation].kind == .poll { clients[client].isPolling = false }
    }
}
