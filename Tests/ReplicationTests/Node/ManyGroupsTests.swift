// SPDX-License-Identifier: Apache-2.0

import CommitLog
import Disk
import RaftCore
import Records
import Replication
import SimulatedDisk
import Testing

@Suite("Many groups on a few nodes")
struct ManyGroupsTests {
    @Test("share one message to each node a turn, and cost nothing at rest")
    func quiet() throws {
        let fleet = Fleet(nodes: 3, groups: 200)
        fleet.settings.quietTicks = 4
        try fleet.startAll()
        fleet.elect()
        #expect(fleet.leaderlessCount == 0)
        for (number, group) in fleet.groups.enumerated() {
            #expect(fleet.append("r\(number)", to: group, at: fleet.leaders(of: group)[0]) != nil)
        }
        fleet.settle()
        #expect(fleet.messagesToOneNode == 1)
        fleet.run(ticks: 12)
        #expect((0..<3).allSatisfy { fleet.nodes[$0]?.awakeCount == 0 })
        let before = fleet.groupMessageCount
        fleet.run(ticks: 50)
        // The nodes hear each other, and nobody says anything of a group.
        #expect(fleet.groupMessageCount == before)
        #expect(fleet.leaderlessCount == 0)
        #expect((0..<3).allSatisfy { fleet.nodes[$0]?.awakeCount == 0 })
        #expect(fleet.messagesToOneNode == 1)
        for group in fleet.groups {
            for number in 0..<3 {
                #expect(fleet.replica(number, group)?.log.highWatermark == Offset(1))
            }
        }
    }

    @Test("wake a few with each tick when a node is lost, and all are led again")
    func lostNode() throws {
        let fleet = Fleet(nodes: 3, groups: 200)
        fleet.settings.quietTicks = 4
        fleet.wakesPerTick = 10
        try fleet.startAll()
        fleet.elect()
        fleet.run(ticks: 12)
        #expect((0..<3).allSatisfy { fleet.nodes[$0]?.awakeCount == 0 })
        let led = fleet.groups.filter { fleet.leaders(of: $0) == [2] }
        #expect(led.count > 50)
        fleet.crash(2)
        var ticks = 0
        var wokenAtOnce = 0
        repeat {
            for number in 0..<2 {
                let before = fleet.nodes[number]?.awakeCount ?? 0
                fleet.tick(number)
                wokenAtOnce = max(wokenAtOnce, (fleet.nodes[number]?.awakeCount ?? 0) - before)
            }
            fleet.settle()
            ticks += 1
        } while fleet.leaderlessCount > 0 && ticks < 120
        #expect(fleet.leaderlessCount == 0)
        #expect(wokenAtOnce > 0 && wokenAtOnce <= 10)
        // Its silence, all groups told of it, and two long elections.
        #expect(ticks < 12 + 20 + 60)
        #expect(led.allSatisfy { fleet.leaders(of: $0).count == 1 })
    }

    @Test("a node that comes back before its groups were told wakes no more of them")
    func backInTime() throws {
        let fleet = Fleet(nodes: 3, groups: 60)
        fleet.settings.quietTicks = 4
        fleet.wakesPerTick = 1
        try fleet.startAll()
        fleet.elect()
        fleet.run(ticks: 12)
        let node = try #require(fleet.nodes[0])
        node.peerIsGone(3)
        fleet.tick(0)
        #expect(node.awakeCount <= 1)
        // Its sign of life.
        fleet.run(ticks: 3)
        #expect(node.awakeCount <= 4)
        fleet.run(ticks: 20)
        #expect(node.awakeCount == 0)
        #expect(fleet.leaderlessCount == 0)
    }

    @Test("a journal that cannot be written ends all replicas of its node, and no others")
    func journalFails() throws {
        let fleet = Fleet(nodes: 3, groups: 9)
        try fleet.startAll()
        fleet.elect()
        fleet.disks[0].faults.pathPart = "hardstate"
        fleet.disks[0].faults.write = .always
        let group = fleet.groups[1]
        #expect(fleet.leaders(of: group) == [1])
        fleet.turn(0) { node, wanted in
            // A request for a vote in a later term has to be saved.
            node.receive(Self.voteRequest(fleet, group), now: Fleet.now, into: &wanted)
        }
        fleet.settle()
        #expect(fleet.journalFailures[0] >= 1)
        fleet.disks[0].faults.write = .never
        fleet.run(ticks: 80)
        #expect(fleet.leaderlessCount == 0)
        for group in fleet.groups {
            #expect(fleet.leaders(of: group) != [0])
            let leader = try #require(fleet.leaders(of: group).first)
            #expect(fleet.append("a", to: group, at: leader) != nil)
        }
        fleet.run(ticks: 4)
        for group in fleet.groups {
            #expect(fleet.replica(1, group)?.log.highWatermark == Offset(1))
            #expect(fleet.replica(2, group)?.log.highWatermark == Offset(1))
            #expect(fleet.replica(0, group)?.log.highWatermark == Offset(0))
        }
    }

    private static func voteRequest(_ fleet: Fleet, _ group: GroupID) -> NodeMessage {
        let request = VoteRequest(
            isPreVote: false, isTransfer: true, lastIndex: LogIndex(1000), lastTerm: Term(50))
        return NodeMessage(
            from: 3, incarnation: 100, to: 1, cluster: 5,
            messages: [
                PeerMessage(
                    group: group,
                    message: Message(
                        from: fleet.ids[2], to: fleet.ids[0], term: Term(50),
                        body: .voteRequest(request)))
            ])
    }

    @Test("a replica that is removed is ticked and heard no more, and leaves no vote behind")
    func removed() throws {
        let fleet = Fleet(nodes: 3, groups: 4)
        try fleet.startAll()
        fleet.elect()
        let group = fleet.groups[0]
        let node = try #require(fleet.nodes[0])
        #expect(node.journal.record(of: group, life: fleet.ids[0].life) != nil)
        fleet.turn(0) { node, wanted in
            #expect(node.remove(group, forgetting: true, into: &wanted) != nil)
        }
        #expect(node.count == 3)
        fleet.run(ticks: 60)
        #expect(node.replica(of: group) == nil)
        #expect(node.remove(group, forgetting: true, into: &fleet.ignored) == nil)
        // The others go on, and the node with its other groups.
        #expect(fleet.leaderlessCount == 0)
        #expect(fleet.leaders(of: group) != [0])
        fleet.crash(0)
        let journal = try HardStateJournal(directory: "/store", on: fleet.disks[0])
        #expect(journal.record(of: group, life: fleet.ids[0].life) == nil)
        for other in fleet.groups.dropFirst() {
            #expect(journal.record(of: other, life: fleet.ids[0].life) != nil)
        }
    }

    @Test("a vote that was being saved is not told to the replica that takes the place")
    func replaced() throws {
        let fleet = Fleet(nodes: 3, groups: 1)
        try fleet.startAll()
        let group = fleet.groups[0]
        let node = try #require(fleet.nodes[0])
        fleet.turn(0) { node, wanted in
            _ = node.call(group, into: &wanted) { $0.campaign(now: Fleet.now, into: &$1) }
        }
        fleet.network = []
        fleet.turn(0) { node, wanted in
            node.receive(Self.voteRequest(fleet, group), now: Fleet.now, into: &wanted)
        }
        let ticket = try #require(node.beginSync())
        fleet.turn(0) { node, wanted in _ = node.remove(group, forgetting: true, into: &wanted) }
        node.add(try fleet.makeReplica(0, group, node.journal))
        fleet.turn(0) { node, wanted in
            node.endSync(ticket, ticket.run(), now: Fleet.now, into: &wanted)
        }
        #expect(fleet.network.allSatisfy { $0.messages.isEmpty })
        fleet.run(ticks: 60)
        #expect(fleet.leaderlessCount == 0)
    }

    @Test("a full disk holds votes back, and a tick after there is room they are cast")
    func journalIsFull() throws {
        let fleet = Fleet(nodes: 3, groups: 3)
        try fleet.startAll()
        fleet.elect()
        let group = fleet.groups[1]
        let term = try #require(fleet.replica(0, group)?.raft.term)
        fleet.disks[0].faults.pathPart = "hardstate"
        fleet.disks[0].faults.capacity = 0
        let node = try #require(fleet.nodes[0])
        // The room that was put aside is used up first.
        let room = 1 + HardStateJournal.reserve / 128
        let filler = HardStateRecord(group: group, life: 1, state: HardState(), isForgotten: true)
        var written = 0
        while written < room, (try? node.journal.append([filler])) != nil { written += 1 }
        fleet.sync(0)
        fleet.turn(0) { $0.receive(Self.voteRequest(fleet, group), now: Fleet.now, into: &$1) }
        #expect(fleet.journalFailures[0] == 0)
        #expect(fleet.replica(0, group)?.raft.term == Term(50))
        #expect(node.beginSync() == nil)
        #expect(fleet.network.allSatisfy { $0.messages.isEmpty })
        fleet.disks[0].faults.capacity = 1 << 40
        fleet.tick(0)
        fleet.settle()
        let saved = node.journal.record(of: group, life: fleet.ids[0].life)
        #expect(saved?.state.term == Term(50) && Term(50) > term)
    }
}
