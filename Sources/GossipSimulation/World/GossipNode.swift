// SPDX-License-Identifier: Apache-2.0

internal import SerfCore
internal import SerfWire
internal import SwimCore

/// A machine: the core that runs on it, and what a shell would keep beside it.
struct GossipNode {
    /// Something that waits while the process does not run, as in the sockets' buffers.
    enum Waiting {
        case packet([UInt8], from: Endpoint)
        case request(stream: Int, [UInt8])
        case answer(stream: Int, [UInt8])
        case streamEnd(stream: Int, StreamFailure)
    }

    /// What a socket holds of packets that nobody reads, and how many streams are waited for.
    static let waitingPacketsMax = 256
    static let waitingStreamsMax = 64

    let number: Int
    let name: String
    let endpoint: Endpoint
    /// Runs, or `nil`.
    var core: Serf?
    /// Grows with each start and each end of the process.
    var life = 0
    var hasStarted = false
    /// Nobody starts it again.
    var isOut = false
    var isFrozen = false
    var waiting: [Waiting] = []
    var waitingPackets = 0
    var waitingStreams = 0
    /// When the core is told the time next.
    ///
    /// A tick that was planned for another time counts for nothing.
    var tickAt = Int64.max
    /// Ticks at one moment; one that never moves on would be the end of all time.
    var ticksAtOnce = 0
    /// By their ids: the streams that it opened and those that it accepted.
    var opened: [UInt64: Int] = [:]
    var accepted: [UInt64: Int] = [:]
    var acceptedCount: UInt64 = 0
    /// Whether anybody of this life's seeds has answered.
    var hasJoined = false
    /// Where it looks for others when it starts.
    var seeds: [Int] = []
    var tags: [String: String] = [:]
    var keyring: Keyring?
    /// Somebody said once that it leaves, itself or another: failed and left are then one to it.
    var wasAskedToLeave = false

    var isUp: Bool { core != nil }
    /// Hears and answers.
    var isAwake: Bool { core != nil && !isFrozen }

    init(number: Int, usesIPv6: Bool) {
        self.number = number
        name = "n\(number)"
        let address: IPAddress =
            usesIPv6
            ? .v6(0xfd00_0000_0000_0001, UInt64(number) + 1)
            : .v4(0x0a00_0001 + UInt32(number))
        endpoint = Endpoint(address: address, port: 7946)
    }

    /// The number of the node that has an address, if there is one.
    static func number(at endpoint: Endpoint, nodeCount: Int) -> Int? {
        let number: UInt64
        switch endpoint.address {
        case .v4(let bits):
            guard bits >= 0x0a00_0001 else { return nil }
            number = UInt64(bits - 0x0a00_0001)
        case .v6(0xfd00_0000_0000_0001, let low) where low > 0: number = low - 1
        case .v6: return nil
        }
        guard endpoint.port == 7946, number < UInt64(nodeCount) else { return nil }
        return Int(number)
    }

    /// Puts something into the sockets' buffers, if there is room.
    mutating func keep(_ thing: Waiting) {
        if case .packet = thing {
            guard waitingPackets < Self.waitingPacketsMax else { return }
            waitingPackets += 1
        } else {
            guard waitingStreams < Self.waitingStreamsMax else { return }
            waitingStreams += 1
        }
        waiting.append(thing)
    }

    /// The process ends, and all that it kept in memory.
    mutating func stop() {
        core = nil
        life += 1
        isFrozen = false
        waiting = []
        waitingPackets = 0
        waitingStreams = 0
        tickAt = .max
        ticksAtOnce = 0
        opened = [:]
        accepted = [:]
        acceptedCount = 0
        hasJoined = false
    }
}

extension Serf {
    /// Messages that wait to be gossiped, of all kinds.
    var queuedMessages: Int {
        let depths = queueDepths
        return depths.swim + depths.intents + depths.queries + depths.events
    }
}
