// SPDX-License-Identifier: Apache-2.0

import ClusterCore
import Testing

@testable import BrokerRuntime

@Suite("The registry of servers", .timeLimit(.minutes(1)))
struct ServerRegistryTests {
    private func member(
        _ name: String, _ status: ClusterMember.Status = .alive
    ) -> ClusterMember {
        ClusterMember(name: name, address: "127.0.0.1:1", status: status, since: 0, tags: [])
    }

    @Test("readers get the members, and then each change in order with what there is since")
    func updates() async {
        let registry = ServerRegistry()
        registry.apply(.joined(member("a")))
        let (before, updates) = registry.updates()
        #expect(before.members.map(\.name) == ["a"])
        registry.apply(.joined(member("b")))
        registry.apply(.joined(member("b")))
        registry.replace(with: [member("b", .failed)])
        var reader = updates.makeAsyncIterator()
        var seen: [ServerRegistry.Update] = []
        while seen.count < 3, let update = await reader.next() { seen.append(update) }
        #expect(
            seen.map(\.event) == [
                .joined(member("b")), .removed(member("a")), .failed(member("b", .failed)),
            ])
        #expect(seen.map(\.sequence) == [2, 3, 4])
        #expect(seen.last?.directory == registry.directory)
    }

    @Test("a slow reader loses the oldest changes, sees that, and has all members")
    func slowReader() async {
        let registry = ServerRegistry()
        let (_, updates) = registry.updates()
        let count = ServerRegistry.updatesMax + 10
        for number in 0..<count { registry.apply(.joined(member("m\(number)"))) }
        var reader = updates.makeAsyncIterator()
        let first = await reader.next()
        #expect(first?.sequence == 11)
        #expect(first?.directory.members.count == 11)
    }

    @Test("a reader that stops is forgotten")
    func stopping() async throws {
        let registry = ServerRegistry()
        var updates: AsyncStream<ServerRegistry.Update>? = registry.updates().updates
        #expect(registry.readerCount == 1)
        withExtendedLifetime(updates) {}
        updates = nil
        while registry.readerCount > 0 { try await Task.sleep(for: .milliseconds(1)) }
    }
}
