// SPDX-License-Identifier: Apache-2.0

import Disk
import Foundation
import GRPCCore
import LogAPI
import SimulatedDisk
import SwiftProtobuf
import Testing

@testable import LogService

@Suite("Trouble with the disk", .timeLimit(.minutes(1)))
struct StorageTroubleTests {
    /// The paths of all store files.
    private static func stores(
        in directory: String, on disk: SimulatedFileSystem
    ) throws -> [String] {
        try disk.list(directory).sorted().flatMap { name -> [String] in
            let path = directory + "/" + name
            if name.hasSuffix(".store") { return [path] }
            guard try disk.status(of: path)?.kind == .directory else { return [] }
            return try stores(in: path, on: disk)
        }
    }

    @Test("a damaged record is DATA_LOSS with its range, to calls and streams; others are sound")
    func damage() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.append(["sound"])
            try await fixture.append(["damaged needle"])
            let needle = [UInt8]("damaged needle".utf8)
            var hits = 0
            for path in try Self.stores(in: "/data", on: fixture.disk) {
                let bytes = Data(fixture.disk.contents(path) ?? [])
                guard let range = bytes.range(of: Data(needle)) else { continue }
                #expect(fixture.disk.flipBit(path, at: range.lowerBound))
                hits += 1
            }
            #expect(hits == 1)
            let sound = try await fixture.book.consume(.with { $0.offset = 0 }).record
            #expect(sound.value == Data("sound".utf8))
            let call = await failure {
                _ = try await fixture.book.consume(.with { $0.offset = 1 })
            }
            #expect(call?.status == .dataLoss)
            #expect(call?.code == "CW-2003")
            let stream = await failure {
                try await fixture.log.consume(
                    .with { $0.positions = [.at(.earliest(.init()))] }
                ) { response in
                    for try await message in response.messages {
                        #expect(message.records.map(\.offset) == [0])
                    }
                }
            }
            #expect(stream?.status == .dataLoss)
        }
    }

    @Test("a full disk is RESOURCE_EXHAUSTED until there is room; records can be read meanwhile")
    func full() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.append(["before"])
            let space = try fixture.disk.space(at: "/data")
            fixture.disk.faults.capacity = space.total - space.free
            let refusal = await failure { try await fixture.append(["refused"]) }
            #expect(refusal?.status == .resourceExhausted)
            #expect(refusal?.code == "CW-2001")
            let stream = await failure {
                try await fixture.book.produceStream { writer in
                    try await writer.write(.with { $0.record = .with { $0.value = Data([1]) } })
                } onResponse: { response in
                    for try await _ in response.messages {}
                }
            }
            #expect(stream?.status == .resourceExhausted)
            let full = try await fixture.health.check(.init()).status
            #expect(full == .notServing)
            let read = try await fixture.book.consume(.with { $0.offset = 0 }).record
            #expect(read.value == Data("before".utf8))
            fixture.disk.faults.capacity = 1 << 44
            while await failure({ try await fixture.append(["after"]) }) != nil {
                try await Task.sleep(for: .milliseconds(5))
            }
            let roomy = try await fixture.health.check(.init()).status
            #expect(roomy == .serving)
        }
    }
}
