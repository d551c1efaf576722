// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import ClusterCore
import CordwoodClient
import Faults
import Records
import SimulatedDisk
import Testing

@testable import Agent

@Suite("Nodes that find each other", .serialized, .timeLimit(.minutes(2)))
struct NodeGossipTests {
    @Test("two nodes know each other, with the addresses that clients need")
    func two() async throws {
        try await withNodes { shelf in
            let first = try await shelf.start("first")
            let second = try await shelf.start("second", seeds: [first])
            try await first.wait(for: "second", .alive)
            try await second.wait(for: "first", .alive)
            for (here, there) in [(first, second), (second, first)] {
                let name = there.node.broker.nodeID
                let member = try #require(here.node.servers.directory.member(name))
                #expect(member.isServer)
                #expect(member.storeID == there.node.broker.storeID)
                #expect(member.address == there.gossip)
                #expect(member.grpcAddress == there.node.grpcAddress.description)
                #expect(member.kafkaAddress == there.node.kafkaAddress?.description)
                #expect(member.adminAddress == nil)
                #expect(member.cluster == "cordwood")
                #expect(member.version == Release.number)
                #expect(here.node.gossipStatus?.state == .running)
            }
        }
    }

    @Test("of three nodes that have one seed, each knows all")
    func three() async throws {
        try await withNodes { shelf in
            let seed = try await shelf.start("a")
            let others = [
                try await shelf.start("b", seeds: [seed]),
                try await shelf.start("c", seeds: [seed]),
            ]
            for node in [seed] + others {
                for name in ["a", "b", "c"] { try await node.wait(for: name, .alive) }
                #expect(node.node.servers.directory.servers.count == 3)
            }
        }
    }

    @Test("a node whose seed comes later finds it")
    func seedLater() async throws {
        try await withNodes { shelf in
            let seed = try await shelf.start("seed")
            let address = try #require(seed.node.gossipAddress)
            await seed.cut()
            let early = try await shelf.start("early") { settings in
                settings.gossip.seeds = [address]
            }
            #expect(early.node.gossipStatus?.state == .running)
            let late = try await shelf.start("seed") { $0.gossip.bind = address }
            try await early.wait(for: "seed", .alive)
            try await late.wait(for: "early", .alive)
        }
    }

    @Test("nodes of two clusters stay apart, whoever asks")
    func otherCluster() async throws {
        try await withNodes { shelf in
            let ours = try await shelf.start("ours")
            let theirs = try await shelf.start("theirs", seeds: [ours]) {
                $0.clusterName = "another"
            }
            for (here, there) in [(ours, theirs), (theirs, ours)] {
                try await here.withClient { client in
                    // The exchange of all that both know is where each refuses the other.
                    await #expect(throws: CordwoodError.self) {
                        try await client.joinMembers([there.gossip])
                    }
                }
            }
            #expect(ours.node.servers.directory.members.map(\.name) == ["ours"])
            #expect(theirs.node.servers.directory.members.map(\.name) == ["theirs"])
        }
    }

    @Test("a node that is shut down has left; one that is cut has failed, and comes back")
    func ends() async throws {
        try await withNodes { shelf in
            let watcher = try await shelf.start("watcher")
            let leaver = try await shelf.start("leaver", seeds: [watcher])
            let disk = SimulatedFileSystem(modelsPowerCuts: false)
            let victim = try await shelf.start("victim", seeds: [watcher], on: disk)
            let address = try #require(victim.node.gossipAddress)
            for name in ["leaver", "victim"] { try await watcher.wait(for: name, .alive) }

            try await leaver.stop()
            try await watcher.wait(for: "leaver", .left)

            await victim.cut()
            try await watcher.wait(for: "victim", .failed)
            let failedSince = watcher.node.servers.directory.member("victim")?.since

            let back = try await shelf.start("victim", seeds: [watcher], on: disk) {
                $0.gossip.bind = address
            }
            try await watcher.wait(for: "victim", .alive)
            try await back.wait(for: "watcher", .alive)
            let aliveSince = watcher.node.servers.directory.member("victim")?.since
            let (before, after) = (try #require(failedSince), try #require(aliveSince))
            #expect(after >= before)
        }
    }

    @Test("an operator lets a node leave, and it goes on to serve records")
    func leavesForGood() async throws {
        try await withNodes { shelf in
            let stays = try await shelf.start("stays")
            let goes = try await shelf.start("goes", seeds: [stays])
            try await stays.wait(for: "goes", .alive)
            try await goes.withClient { client in
                try await client.leaveMembers()
                try await stays.wait(for: "goes", .left)
                let known = try await client.listMembers()
                #expect(known.gossip.state == "left")
                #expect(known.members.map(\.name) == ["goes"])
                #expect(known.members.map(\.status) == [.left])
                let refused = await #expect(throws: CordwoodError.self) {
                    try await client.joinMembers([stays.gossip])
                }
                #expect(refused?.code == .gossipNotRunning)
                try await client.produce("default", Record("still here"))
                let health = try await client.health()
                #expect(health == .serving)
            }
            try await goes.stop()
        }
    }

    @Test("of two nodes with one name the later one goes on without gossip, and says why")
    func nameConflict() async throws {
        try await withNodes { shelf in
            let first = try await shelf.start("twin")
            let third = try await shelf.start("third", seeds: [first])
            try await first.wait(for: "third", .alive)
            try await third.wait(for: "twin", .alive)
            let later = try await shelf.start("twin", seeds: [third])
            while later.node.gossipStatus?.state != .failed {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(later.node.gossipStatus?.detail.contains("named twin") == true)
            try await later.withClient { client in
                try await client.produce("default", Record("alone"))
                let known = try await client.listMembers()
                #expect(known.gossip.state == "failed")
                #expect(known.gossip.detail.contains("named twin"))
            }
            #expect(first.node.gossipStatus?.state == .running)
            try await later.stop()
        }
    }

    @Test("a port that is taken is refused with the remedy, and all else is closed again")
    func portTaken() async throws {
        try await withNodes { shelf in
            let first = try await shelf.start("first")
            let disk = SimulatedFileSystem(modelsPowerCuts: false)
            let address = first.node.gossipAddress
            let fault = await #expect(throws: Fault.self) {
                try await shelf.start("second", on: disk) { $0.gossip.bind = address }
            }
            #expect(fault?.code == .addressInUse)
            #expect(fault?.hint?.contains("--gossip") == true)
            // The lock of the data directory was given back.
            _ = try await shelf.start("second", on: disk)
        }
    }

    @Test("gossip that other machines reach needs keys, also where a name hides that")
    func plaintext() async throws {
        let fault = await #expect(throws: Fault.self) {
            try await RunningNode("open") { $0.gossip.bind?.host = "0.0.0.0" }
        }
        #expect(fault?.code == .plaintextRefused)
        #expect(fault?.message.contains("without keys") == true)
    }

    @Test("a node without gossip knows nobody and is not asked")
    func off() async throws {
        try await withNode { node in
            #expect(node.gossipAddress == nil)
            #expect(node.gossipStatus == nil)
            try await CordwoodClient.withClient(.init(server: "\(node.grpcAddress)")) { client in
                let known = try await client.listMembers()
                #expect(known.members.isEmpty)
                #expect(known.gossip.state == "off")
            }
        }
    }
}
