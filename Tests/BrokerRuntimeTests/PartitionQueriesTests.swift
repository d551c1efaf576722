// SPDX-License-Identifier: Apache-2.0

import BrokerRuntime
import CommitLog
import Faults
import Records
import SimulatedDisk
import Testing

@Suite("What a partition is asked", .timeLimit(.minutes(1)))
struct PartitionQueriesTests {
    @Test("the highest timestamp, the term of an offset and the end of a term come from the log")
    func queries() async throws {
        let disk = SimulatedFileSystem()
        var broker = try BrokerFixture.open(disk)
        _ = try await broker.createTopic("logs", partitionCount: 1, settings: [:])
        var partition = try broker.partition("logs", 0)
        #expect(try await partition.recordWithMaxTimestamp() == nil)
        let first = partition.term
        _ = try await partition.append(BrokerFixture.batch(5..<9))
        await broker.close()

        broker = try BrokerFixture.open(disk)
        partition = try broker.partition("logs", 0)
        let second = partition.term
        _ = try await partition.append(BrokerFixture.batch(0..<2))
        let highest = try #require(try await partition.recordWithMaxTimestamp())
        #expect(highest.offset == Offset(3))
        #expect(highest.timestamp == Timestamp(milliseconds: 1008))
        #expect(try await partition.term(at: Offset(3)) == first)
        #expect(try await partition.term(at: Offset(4)) == second)
        #expect(try await partition.term(at: Offset(6)) == nil)
        let end = try await partition.endOffset(ofTerm: first)
        #expect(end.term == first && end.offset == Offset(4))
        let last = try await partition.endOffset(ofTerm: second)
        #expect(last.term == second && last.offset == Offset(6))
        await broker.close()
    }

    @Test("a topic that is gone is not asked")
    func gone() async throws {
        let broker = try BrokerFixture.open(SimulatedFileSystem())
        _ = try await broker.createTopic("logs", partitionCount: 1, settings: [:])
        let partition = try broker.partition("logs", 0)
        try await broker.deleteTopic("logs")
        await #expect(throws: Fault.self) { try await partition.term(at: .zero) }
        await #expect(throws: Fault.self) { try await partition.recordWithMaxTimestamp() }
        await broker.close()
    }
}
