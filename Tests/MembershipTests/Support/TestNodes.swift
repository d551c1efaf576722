// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import Logging
import SerfCore
import SerfWire
import SwimCore
import Testing

@testable import Membership

/// Settings of a node that only this machine knows, on a free port.
func testSettings(
    _ name: String, seeds: [String] = [], keys: [GossipKey] = []
) -> SerfNodeSettings {
    var settings = SerfNodeSettings(name: name, profile: .local)
    settings.bindHost = "127.0.0.1"
    settings.bindPort = 0
    settings.seeds = seeds
    settings.keys = keys
    settings.rejoinPauseMin = .milliseconds(50)
    settings.rejoinPauseMax = .milliseconds(200)
    settings.serf.leaveDelay = .milliseconds(200)
    return settings
}

extension SerfNodeSettings {
    /// Binds to an address of its own.
    mutating func bind(to endpoint: Endpoint) {
        bindHost = endpoint.address.description
        bindPort = endpoint.port
    }
}

/// A node that says nothing.
func testNode(
    _ settings: SerfNodeSettings, logger: Logger = .silent,
    metricsFactory: any MetricsFactory = NOOPMetricsHandler.instance
) -> SerfNode {
    SerfNode(settings, logger: logger, metricsFactory: metricsFactory)
}

extension Logger {
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// Starts a node, and closes it when the body is done.
func withNode<Value>(
    _ settings: SerfNodeSettings, logger: Logger = .silent,
    metricsFactory: any MetricsFactory = NOOPMetricsHandler.instance,
    _ body: (SerfNode) async throws -> Value
) async throws -> Value {
    let node = testNode(settings, logger: logger, metricsFactory: metricsFactory)
    try await node.start()
    do {
        let value = try await body(node)
        await node.close()
        return value
    } catch {
        await node.close()
        throw error
    }
}

extension SerfNode {
    /// `address:port`, to join it.
    var address: String {
        get async throws { try await localMember.endpoint.description }
    }

    func status(of name: String) async throws -> MemberStatus? {
        try await members.first { $0.name == name }?.status
    }

    func dropped(_ reason: DropReason) async throws -> Int {
        try await statistics.sockets.dropped[reason] ?? 0
    }
}

/// Two nodes that are members of each other's cluster.
func withPair<Value>(
    _ adjust: (inout SerfNodeSettings) -> Void = { _ in },
    _ body: (SerfNode, SerfNode) async throws -> Value
) async throws -> Value {
    var first = testSettings("first")
    adjust(&first)
    return try await withNode(first) { first in
        var second = testSettings("second")
        adjust(&second)
        return try await withNode(second) { second in
            try await second.join([first.address])
            try await eventuallySeen(first, second)
            return try await body(first, second)
        }
    }
}

/// Waits until each of two nodes sees the other alive.
func eventuallySeen(
    _ first: SerfNode, _ second: SerfNode, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let names = (first.settings.name, second.settings.name)
    try await eventually("both are in view of both", sourceLocation: sourceLocation) {
        let isSeen = try await first.status(of: names.1) == .alive
        let sees = try await second.status(of: names.0) == .alive
        return isSeen && sees
    }
}

let someKey = GossipKey(checked: Array(0..<16))
let otherKey = GossipKey(checked: Array(32..<64))
