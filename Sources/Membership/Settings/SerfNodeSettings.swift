// SPDX-License-Identifier: Apache-2.0

public import SerfCore
internal import SwimCore

/// What a ``SerfNode`` is set to.
public struct SerfNodeSettings: Sendable {
    /// The name that the node has in the cluster, 1 to 128 bytes; no two members may have the same.
    public var name: String
    /// The address to listen on, no name; `0.0.0.0` or `::` for all addresses of the machine.
    public var bindHost = "0.0.0.0"
    /// The port to listen on, UDP and TCP; 0 for one that is free.
    public var bindPort: UInt16 = 7946
    /// The address that other members are told, as `host` or `host:port`; `nil` for the bound one.
    ///
    /// A host name is looked up once, at the start. Where the node listens on all addresses and
    /// none is given here, the machine's first private address is taken.
    public var advertise: String?
    /// Members to ask for the others, as `host`, `host:port` or `[address]:port`; the port is
    /// ``bindPort``, or 7946 where that is 0, if not given.
    ///
    /// Names are looked up anew in each round, and all their addresses are asked. Rounds go on until
    /// another member is in view, and begin again when none is left. A node without seeds, or whose
    /// seeds do not answer, waits for others to join it.
    public var seeds: [String] = []
    /// The pause after the first round of asking seeds; it doubles with each.
    public var rejoinPauseMin: Duration = .seconds(1)
    /// The longest pause between two rounds of asking seeds.
    public var rejoinPauseMax: Duration = .seconds(30)
    /// What all members see of this one; at most 512 bytes encoded.
    public var tags: [String: String] = [:]
    /// Keys, the first to encrypt with, all to decrypt with; without any, packets are plain.
    ///
    /// Where ``keyringFile`` exists, its keys are taken and these are not.
    public var keys: [GossipKey] = []
    /// Where the keys are kept across restarts: a JSON array of base64, the first to encrypt with.
    ///
    /// Written with mode 0600, each time that the keys change. A file that others than its owner may
    /// read or write is refused.
    public var keyringFile: String?
    /// Sets clusters apart on one network; at most 255 bytes.
    ///
    /// Agents have no such setting, so it must be empty to join them.
    public var label = ""
    /// Intervals, timeouts and limits of the protocol, and the tags that members must agree on.
    public var serf: SerfSettings
    /// How many events are kept for a consumer that is slow; the oldest go first.
    public var eventsMax = 4096

    /// Drops packets and streams in tests.
    package var filter: PacketFilter?
    /// Makes the core's choices repeatable in tests; `nil` for chance.
    package var randomSeed: UInt64?

    /// Settings of a node of this name, everything else as stated at each property.
    public init(name: String, profile: GossipProfile = .lan) {
        self.name = name
        self.serf = profile.settings
    }

    /// What can be said without trying.
    func validate() throws(MembershipError) {
        func refuse(_ text: String) -> MembershipError { MembershipError(.invalidSettings, text) }
        guard !name.isEmpty, name.utf8.count <= 128 else {
            throw refuse("the node's name has \(name.utf8.count) bytes; set one of 1 to 128")
        }
        guard label.utf8.count <= 255 else {
            throw refuse("the label has \(label.utf8.count) bytes; at most 255 are allowed")
        }
        guard rejoinPauseMin > .zero, rejoinPauseMin <= rejoinPauseMax else {
            throw refuse("the pauses between rounds of joining must be positive and in order")
        }
        guard eventsMax > 0 else { throw refuse("at least one event must be kept") }
        try validateProtocol(serf.swim)
    }

    /// What the core takes for granted of its settings.
    private func validateProtocol(_ swim: SwimSettings) throws(MembershipError) {
        let demands = [
            (swim.probeInterval > .zero && swim.gossipInterval > .zero, "intervals are positive"),
            (
                swim.probeTimeout > .zero && swim.probeTimeout < swim.probeInterval,
                "a probe's timeout is shorter than the interval"
            ),
            (swim.streamTimeout > .zero, "streams have a timeout"),
            (
                swim.suspicionMult >= 2 && swim.suspicionMaxTimeoutMult >= 1
                    && swim.awarenessMax >= 1 && swim.retransmitMult >= 1,
                "multipliers are at least 1, that of suspicions at least 2"
            ),
            (swim.indirectChecks >= 0 && swim.gossipNodes >= 0, "numbers are not negative"),
            (
                swim.queueMax >= 1 && swim.nodesMax >= 2 && swim.relaysMax >= 0
                    && swim.exchangesMax >= 1,
                "there is room for messages, nodes and exchanges"
            ),
            (512...65_507 ~= swim.packetBytesMax, "packets have 512 to 65,507 bytes"),
        ]
        for (isMet, demand) in demands where !isMet {
            throw MembershipError(
                .invalidSettings, "the protocol's settings cannot work: \(demand)")
        }
    }
}
