// SPDX-License-Identifier: Apache-2.0

internal import GroupCore
internal import Records

/// What goes wrong, and what people do meanwhile.
extension GroupHistory {
    mutating func stir() throws(Violation) {
        guard period == .troubled else { return }
        queue.plan(.chaos, at: now + Int64(draw(1...settings.chaosInterval)))
        if chance(settings.crashRate) { return crash() }
        let client = draw(0...(clients.count - 1))
        switch draw(0...99) {
        case 0..<20 where !clients[client].isUp: start(client, after: 0)
        case 0..<10 where clients[client].isUp: kill(client)
        case 10..<20 where clients[client].isUp: leave(client)
        case 20..<35 where clients[client].isUp:
            // A process comes back before anybody has noticed that it went; something of its past
            // may still be on its way.
            if chance(50) { haunt(client) }
            kill(client)
            start(client, after: draw(0...300))
        case 35..<50 where clients[client].isUp:
            count(\.pauses)
            note("pause", "client \(client)")
            clients[client].pausedUntil = now + Int64(draw(100...4000))
        case 50..<60: clients[client].subscription &+= 1
        case 60..<64: try deleteTopic(clients[client].group)
        case 64..<68: tellTool(client, deleteOffsets(clients[client].group))
        case 68..<70:
            tellTool(
                client,
                .deleteGroups(DeleteGroups(groupIDs: [Self.name(clients[client].group)])))
        case 70..<78: tellTool(client, commitOfTool(clients[client].group))
        case 78..<88: tellTool(client, offsetFetch(clients[client].group))
        case 88..<93: try rewriteLog()
        case 93..<95: wallSkew += Int64(draw(-2000...2000))
        default: break
        }
    }

    /// Sends what a process would have sent if it had not been replaced, some time later.
    private mutating func haunt(_ client: Int) {
        let it = clients[client]
        let ghost = GroupCall(client: client, life: 0, number: 0)
        for partition in it.assignment.prefix(1) {
            let commit = OffsetCommit(
                groupID: Self.name(it.group), generation: it.generation, memberID: it.memberID,
                instanceID: it.instanceID, entries: [entry(partition)])
            queue.plan(
                .request(ghost, .offsetCommit(commit)), at: now + Int64(draw(0...3000)))
        }
    }

    /// A tool asks, whose answer nobody here waits for.
    private mutating func tellTool(_ client: Int, _ request: GroupRequest, after delay: Int = 0) {
        queue.plan(
            .request(GroupCall(client: client, life: 0, number: 0), request),
            at: now + Int64(delay))
    }

    private mutating func commitOfTool(_ group: Int) -> GroupRequest {
        .offsetCommit(
            OffsetCommit(
                groupID: Self.name(group),
                retention: chance(20) ? Int64(draw(0...3000)) : nil,
                entries: [entry(Int32(draw(0...(settings.partitionCount - 1))))]))
    }

    private mutating func deleteOffsets(_ group: Int) -> GroupRequest {
        let partition = Int32(draw(0...(settings.partitionCount - 1)))
        return .offsetDelete(
            OffsetDelete(
                groupID: Self.name(group),
                entries: [OffsetDelete.Entry(topic: Self.topic, partition: partition)]))
    }

    /// A topic is deleted, and made anew under its name.
    private mutating func deleteTopic(_ group: Int) throws(Violation) {
        let former = topicIDs[group]
        topicIDs[group] += 1000
        count(\.topicDeletions)
        note("delete", "the topic of \(Self.name(group))")
        if coordinator != nil { try receive(.topicDeleted(former, at: time)) }
        // Nobody may see the old offsets any more.
        for _ in 0..<3 { tellTool(0, offsetFetch(group), after: draw(0...settings.appendDelayMax)) }
    }
}
