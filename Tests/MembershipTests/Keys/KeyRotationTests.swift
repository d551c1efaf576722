// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import SerfCore
import SerfWire
import Synchronization
import Testing

@testable import Membership

/// Clusters that encrypt.
@Suite struct KeyRotationTests {
    @Test("a rotation replaces the key everywhere, also in the files") func rotation() async throws
    {
        try await withFolder { folder in
            let log = Lines()
            var first = testSettings("first", keys: [someKey])
            first.keyringFile = folder + "/first.json"
            try await withNode(first, logger: log.logger) { first in
                var second = testSettings("second", seeds: [try await first.address])
                second.keys = [someKey]
                second.keyringFile = folder + "/second.json"
                try await withNode(second, logger: log.logger) { second in
                    try await eventuallySeen(first, second)
                    #expect(try await first.statistics.isEncrypted)
                    for report in [
                        try await first.keys.install(otherKey), try await second.keys.use(otherKey),
                        try await first.keys.remove(someKey),
                    ] {
                        #expect(report.isComplete && report.memberCount == 2)
                    }
                    let list = try await second.keys.list()
                    #expect(list.keys == [.init(key: otherKey.base64, count: 2)])
                    #expect(list.primaryKeys == [.init(key: otherKey.base64, count: 2)])
                    for name in ["first", "second"] {
                        let file = KeyringFile(path: "\(folder)/\(name).json")
                        #expect(try file.read() == [otherKey])
                    }
                    // Traffic goes on, with the new key.
                    try await first.send(event: "rotated")
                    #expect(try await first.query(.ping).all().acks.count == 2)
                    let gone = try await first.keys.use(someKey)
                    #expect(gone.errorCount == 2)
                }
            }
            for key in [someKey, otherKey] { #expect(!log.text.contains(key.base64)) }
            #expect(log.text.contains("keys"))
        }
    }

    @Test("the file's keys win over the settings'") func fileWins() async throws {
        try await withFolder { folder in
            let file = KeyringFile(path: folder + "/keyring.json")
            try file.write([otherKey, someKey])
            var settings = testSettings("node", keys: [someKey])
            settings.keyringFile = file.path
            try await withNode(settings) { node in
                let list = try await node.keys.list()
                #expect(list.primaryKeys.map(\.key) == [otherKey.base64])
                #expect(Set(list.keys.map(\.key)) == [otherKey.base64, someKey.base64])
            }
            #expect(try file.read() == [otherKey, someKey])
        }
    }

    @Test("a keyring that others may read keeps the node from starting") func openFile()
        async throws
    {
        try await withFolder { folder in
            let file = KeyringFile(path: folder + "/keyring.json")
            try file.write([someKey])
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o644], ofItemAtPath: file.path)
            var settings = testSettings("node")
            settings.keyringFile = file.path
            let error = await #expect(throws: MembershipError.self) {
                try await testNode(settings).start()
            }
            #expect(error?.code == .keyringFile)
        }
    }

    @Test("a member that cannot save a key does not confirm it") func unsaved() async throws {
        try await withFolder { folder in
            try FileManager.default.createDirectory(
                atPath: folder + "/second", withIntermediateDirectories: true)
            try await withNode(testSettings("first", keys: [someKey])) { first in
                var settings = testSettings("second", seeds: [try await first.address])
                settings.keys = [someKey]
                settings.keyringFile = folder + "/second/keyring.json"
                try await withNode(settings) { second in
                    try await eventuallySeen(first, second)
                    try FileManager.default.removeItem(atPath: folder + "/second")
                    let report = try await first.keys.install(otherKey)
                    #expect(report.missing == ["second"])
                    #expect(!report.isComplete)
                    #expect(try await first.query(.ping).all().acks.count == 2)
                }
            }
        }
    }

    @Test("nodes with other keys, or none, do not get to know each other")
    func strangers() async throws {
        try await withNode(testSettings("first", keys: [someKey])) { first in
            for keys in [[otherKey], []] {
                try await withNode(testSettings("second", keys: keys)) { second in
                    let error = await #expect(throws: MembershipError.self) {
                        try await second.join([first.address])
                    }
                    #expect(error?.code == .joinFailed)
                    let members = try await second.members
                    #expect(members.count == 1)
                }
            }
            #expect(try await first.members.count == 1)
            let counts = try await first.statistics.sockets.dropped
            #expect(counts[.undecryptable] == 1)
            #expect(counts[.notEncrypted] == 1)
        }
    }

    @Test("without keys there are none to change") func noKeys() async throws {
        try await withNode(testSettings("node")) { node in
            let error = await #expect(throws: MembershipError.self) {
                try await node.keys.install(someKey)
            }
            #expect(error?.code == .refused)
        }
    }
}

/// What was logged, at every level.
final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    var logger: Logger {
        var logger = Logger(label: "lines") { _ in Handler(lines: self) }
        logger.logLevel = .trace
        return logger
    }

    struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.lines.withLock {
                $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])")
            }
        }
    }
}
