// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import SerfWire
public import SwimCore

/// A node of a Serf cluster: what it knows, and what it does next.
///
/// One owner calls it, from one thread at a time. The owner
///
/// 1. hands in ``Input/start``, and from then on whatever comes from the network;
/// 2. performs the effects of each call in order;
/// 3. hands in ``Input/tick`` no later than at ``nextDeadline``, which may be another one after each
///    call;
/// 4. ends with ``SerfEffect/stop(_:)``, after ``Command/leave`` or a lost name conflict.
///
/// Time never goes back. What peers send never traps, and what is kept because of it is bounded.
public struct Serf: Sendable {
    /// Where a node's life stands.
    public enum Phase: Sendable, Equatable {
        /// Not started.
        case new
        /// A member, or alone.
        case running
        /// Telling the others that it leaves.
        case leaving
        /// Gone as it wished.
        case left
        /// Gone because another node has its name.
        case stopped
    }

    /// Who is alive, and gossip.
    var memberlist: Memberlist
    /// What the memberlist's delegate knows.
    var layer: SerfLayer
    /// Commands that wait for an end, but queries, which the layer keeps.
    var underWay = CommandTable()
    /// How far the leaving has come; `nil` while nobody wants to leave.
    var leaving: LeaveSequence?

    /// A node that has not started.
    ///
    /// - Parameters:
    ///   - settings: What it is set to.
    ///   - name: Its name, which no other member may have: 1 to 255 bytes.
    ///   - endpoint: Where the others reach it, UDP and TCP.
    ///   - tags: What it says of itself.
    ///   - keyring: The keys that its shell encrypts with; `nil`: plain.
    ///   - seed: What its random choices are drawn from. Each life of a node needs another.
    ///   - now: The time.
    /// - Throws: ``SerfError/invalidName(size:)`` or ``SerfError/tagsTooLarge(size:limit:)``.
    public init(
        settings: SerfSettings, name: String, endpoint: Endpoint, tags: [String: String],
        keyring: Keyring?, seed: UInt64, at now: Moment
    ) throws(SerfError) {
        guard 1...255 ~= name.utf8.count else { throw .invalidName(size: name.utf8.count) }
        let meta = try Self.encoded(tags)
        var seeds = SplitMix64(seed: seed)
        memberlist = Memberlist(
            name: name, endpoint: endpoint, meta: meta, settings: settings.swim,
            seed: seeds.next(), at: now)
        layer = SerfLayer(
            settings: settings, name: name, endpoint: endpoint, keyring: keyring,
            seed: seeds.next(), at: now)
    }

    /// Tags as they are announced.
    static func encoded(_ tags: [String: String]) throws(SerfError) -> [UInt8] {
        let meta = Tags.encode(tags)
        guard meta.count <= Tags.sizeMax else {
            throw .tagsTooLarge(size: meta.count, limit: Tags.sizeMax)
        }
        return meta
    }
}
