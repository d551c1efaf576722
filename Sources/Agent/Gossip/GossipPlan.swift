// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
internal import Faults
internal import Glibc
internal import Membership
internal import SerfCore

/// What the gossip of a node will be: addresses looked up, keys read.
struct GossipPlan: Sendable {
    /// What the Serf node is set to, but for its tags.
    var settings: SerfNodeSettings
    /// The cluster.
    let cluster: String
    /// Whether there are keys, in the file of keys or in the keyring.
    let isEncrypted: Bool

    /// Looks names up and reads files, which blocks.
    ///
    /// - Returns: `nil` where gossip is turned off.
    /// - Throws: ``Faults/ErrorCode/plaintextRefused``, ``Faults/ErrorCode/invalidValue``.
    init?(_ settings: Settings) throws(Fault) {
        let gossip = settings.gossip
        guard let address = gossip.bind else { return nil }
        let bind = try Listener.resolve(
            address, of: "gossip.bind",
            allowPlaintext: settings.listen.insecureAllowPlaintext || gossip.hasKeys,
            protection: "keys")
        var serf = SerfNodeSettings(name: settings.nodeID, profile: .init(gossip.profile))
        serf.bindHost = bind.host
        serf.bindPort = UInt16(clamping: bind.port)
        if let advertised = ListenAddress(gossip.advertise) {
            serf.advertise = advertised.port == 0 ? advertised.host : advertised.description
        } else if bind.isUnspecified {
            // The addresses of the other services are announced with it, so it is chosen before.
            serf.advertise = MachineAddress.chosen(isIPv6: bind.host == "::")
        }
        serf.seeds = gossip.seeds.map(\.description)
        if !gossip.keysFile.isEmpty {
            serf.keys = try GossipKeys.read(gossip.keysFile, of: "gossip.keys.file")
        }
        if !gossip.keyring.isEmpty {
            // Without it, what was meant to be encrypted would go out plain.
            guard !serf.keys.isEmpty || access(gossip.keyring, F_OK) == 0 else {
                throw Fault(
                    .invalidValue,
                    "gossip.keyring: there is no \(gossip.keyring), and gossip.keys.file is not set",
                    hint: "Set gossip.keys.file as well: the keyring begins with its keys.")
            }
            serf.keyringFile = gossip.keyring
        }
        serf.serf.commonTags = [ClusterMember.TagName.cluster: settings.clusterName]
        self.settings = serf
        cluster = settings.clusterName
        isEncrypted = gossip.hasKeys
    }
}

extension GossipProfile {
    init(_ profile: GossipSettings.Profile) {
        switch profile {
        case .lan: self = .lan
        case .wan: self = .wan
        case .local: self = .local
        }
    }
}
