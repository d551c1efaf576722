// SPDX-License-Identifier: Apache-2.0

import Bytes
import ClusterCore
import Testing

@Suite("Who is in the cluster")
struct ServerDirectoryTests {
    private func member(
        _ name: String, _ status: ClusterMember.Status = .alive, since: Int64 = 0,
        tags: [ClusterMember.Tag] = []
    ) -> ClusterMember {
        ClusterMember(
            name: name, address: "127.0.0.1:8401", status: status, since: since, tags: tags)
    }

    private func directory(_ members: ClusterMember...) -> ServerDirectory {
        var directory = ServerDirectory()
        for member in members { directory.apply(.joined(member)) }
        return directory
    }

    @Test("members stand by name, whatever the order in which they came")
    func order() {
        let directory = directory(member("c"), member("a"), member("b"))
        #expect(directory.members.map(\.name) == ["a", "b", "c"])
        #expect(directory.member("b")?.name == "b")
        #expect(directory.member("d") == nil)
    }

    @Test("a status counts from the event that brought it, and not from one that repeats it")
    func since() {
        var directory = directory(member("a", since: 10))
        #expect(directory.apply(.joined(member("a", since: 20))) == nil)
        #expect(directory.member("a")?.since == 10)
        directory.apply(.failed(member("a", since: 30)))
        #expect(directory.member("a")?.status == .failed)
        #expect(directory.member("a")?.since == 30)
        #expect(directory.apply(.joined(member("a", since: 40))) == .joined(member("a", since: 40)))
        #expect(directory.member("a")?.since == 40)
    }

    @Test("the event gives the status, whatever the member that came with it says")
    func eventDecides() {
        var directory = directory(member("a"))
        #expect(directory.apply(.left(member("a", .alive, since: 5)))?.member.status == .left)
        #expect(directory.member("a")?.status == .left)
    }

    @Test("other tags are an update that keeps the time; the same ones are nothing")
    func update() {
        var directory = directory(member("a", since: 10))
        let changed = member("a", since: 99, tags: [.init("id", "1")])
        let event = directory.apply(.updated(changed))
        #expect(event == .updated(member("a", since: 10, tags: [.init("id", "1")])))
        #expect(directory.apply(.updated(changed)) == nil)
    }

    @Test("a member that is forgotten is gone, once")
    func removal() {
        var directory = directory(member("a"), member("b"))
        #expect(directory.apply(.removed(member("a", .failed))) == .removed(member("a")))
        #expect(directory.apply(.removed(member("a"))) == nil)
        #expect(directory.members.map(\.name) == ["b"])
    }

    @Test("what a new list changes comes out as the events that were missed")
    func replacing() {
        var directory = directory(member("a"), member("b"), member("c", since: 1))
        let events = directory.replace(with: [
            member("d"), member("c", since: 9), member("b", .failed, since: 7),
        ])
        #expect(
            events == [
                .removed(member("a")), .failed(member("b", .failed, since: 7)),
                .joined(member("d")),
            ])
        #expect(directory.member("c")?.since == 1)
        #expect(directory.replace(with: directory.members).isEmpty)
    }

    @Test(
        "events one by one and the list that they come to leave the same members", arguments: 0..<20
    )
    func equivalence(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var stepwise = ServerDirectory()
        var whole = ServerDirectory()
        for time in 0..<200 {
            let name = String(UInt8.random(in: 0..<6, using: &random))
            let subject = member(
                name, since: Int64(time),
                tags: [.init("t", String(UInt8.random(in: 0..<2, using: &random)))])
            let events: [MemberEvent] = [
                .joined(subject), .updated(subject), .leaving(subject), .left(subject),
                .failed(subject), .removed(subject),
            ]
            stepwise.apply(events[Int.random(in: 0..<events.count, using: &random)])
            if UInt8.random(in: 0..<4, using: &random) == 0 {
                _ = whole.replace(with: stepwise.members)
                #expect(whole.members.map(\.name) == stepwise.members.map(\.name))
                #expect(whole.members.map(\.status) == stepwise.members.map(\.status))
            }
            stepwise.checkInvariants()
        }
    }

    @Test("a server is told from others by its store, and its addresses come from its tags")
    func servers() {
        let server = member(
            "a",
            tags: [
                .init("version", "0.1.0"), .init("id", "f00d"), .init("grpc", "10.0.0.1:8400"),
                .init("kafka", "10.0.0.1:9092"), .init("cluster", "cordwood"),
            ])
        #expect(server.isServer)
        #expect(server.storeID == "f00d")
        #expect(server.grpcAddress == "10.0.0.1:8400")
        #expect(server.kafkaAddress == "10.0.0.1:9092")
        #expect(server.adminAddress == nil)
        #expect(server.cluster == "cordwood")
        #expect(server.version == "0.1.0")
        let agent = member("b", tags: [.init("role", "operator")])
        #expect(directory(server, agent).servers == [server])
    }
}
