// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore
internal import SerfCore
internal import SerfWire
internal import SwimCore

/// What a node writes to its log: never a key, never a payload.
///
/// Lines that peers can cause at will are limited in number; what came of it is in the metrics.
///
/// Owner: the node's event loop.
struct GossipLog {
    let logger: Logger
    private var refusals = LineLimit()
    private var malformed = LineLimit()

    init(logger: Logger) { self.logger = logger }

    // MARK: What the application is told

    func log(_ event: SerfEvent) {
        switch event {
        case .joined(let members): log("member joined", members)
        case .left(let members): log("member left", members)
        case .failed(let members): log("member failed", members)
        case .updated(let members): log("member updated", members)
        case .reaped(let members): log("member forgotten", members)
        case .user(let event):
            logger.debug("user event", metadata: ["name": "\(event.name)"])
        case .query(let query):
            logger.debug("query", metadata: ["name": "\(query.name)", "from": "\(query.from)"])
        }
    }

    private func log(_ what: Logger.Message, _ members: [Member]) {
        for member in members {
            logger.info(
                what, metadata: ["member": "\(member.name)", "address": "\(member.endpoint)"])
        }
    }

    // MARK: What the cores notice

    mutating func log(_ observation: SwimObservation) {
        switch observation {
        case .probeSent, .overloaded: break
        case .probeFailed(let node):
            logger.debug("a probe failed", metadata: ["member": "\(node)"])
        case .probeByStream(let node):
            warn(
                "a member answers over TCP only: its packets, or ours to it, are lost",
                ["member": "\(node)"])
        case .suspected(let node, let from), .suspicionConfirmed(let node, let from):
            logger.debug(
                "a member is suspected", metadata: ["member": "\(node)", "from": "\(from)"])
        case .refuted(let incarnation):
            warn(
                "others thought that this node is dead; it contradicted",
                ["incarnation": "\(incarnation)"])
        case .healthChanged(let score):
            logger.debug("the health score changed", metadata: ["score": "\(score)"])
        case .malformed(let from, let error):
            debug("a message cannot be read", ["from": "\(from)", "reason": "\(error)"])
        case .refused(let node, let reason):
            warn("a member was refused", ["member": "\(node)", "reason": "\(reason)"])
        case .conflict(let node, let known, let other):
            warn(
                "two nodes have one name",
                ["member": "\(node)", "known": "\(known)", "other": "\(other)"])
        case .queueOverflow(let count):
            warn("gossip was given up: the queue is full", ["count": "\(count)"])
        case .pushPullFailed(let failure):
            logger.debug(
                "an exchange with a member failed",
                metadata: ["address": "\(failure.endpoint)", "reason": "\(failure.reason)"])
        }
    }

    mutating func log(_ observation: SerfObservation) {
        switch observation {
        case .malformed(let error): debug("a message cannot be read", ["reason": "\(error)"])
        case .misplaced(let type): debug("a message has no place in gossip", ["type": "\(type)"])
        case .intentDropped(let node):
            debug("an intent was dropped: too many are kept", ["member": "\(node)"])
        case .eventDropped(let name): warn("an event was dropped", ["name": "\(name)"])
        case .queryDropped(let name): warn("a query was dropped", ["name": "\(name)"])
        case .unknownQuery(let name): debug("an unknown internal query", ["name": "\(name)"])
        case .expressionRefused(let expression):
            debug("a query's filter cannot be used", ["expression": "\(expression)"])
        case .queueOverflow(let queue, let dropped):
            warn(
                "gossip was given up: the queue is full",
                ["queue": "\(queue)", "count": "\(dropped)"])
        case .leaveRefuted:
            warn("others were told that this node leaves; it contradicted", [:])
        case .reconnecting(let node):
            logger.debug("a failed member is tried again", metadata: ["member": "\(node)"])
        case .nameConflict(let node, let known, let other):
            warn(
                "two nodes have one name",
                ["member": "\(node)", "known": "\(known)", "other": "\(other)"])
        case .conflictResolved(let agreeing, let answers):
            logger.warning(
                "members were asked which node of this name they know",
                metadata: ["agreeing": "\(agreeing)", "answers": "\(answers)"])
        case .relayed(let to):
            logger.trace("a response was passed on", metadata: ["to": "\(to)"])
        case .keyQuery(let name, let isSuccess, let message):
            logger.info(
                "the keys were asked for or changed",
                metadata: [
                    "query": "\(name)", "done": "\(isSuccess)", "message": "\(message)",
                ])
        case .coordinateRefused(let node):
            debug("a network coordinate makes no sense", ["member": "\(node)"])
        }
    }

    /// Something was not taken or not sent; its count is in the metrics.
    mutating func dropped(_ reason: DropReason, peer: Endpoint?) {
        debug(
            "dropped",
            ["reason": "\(reason.rawValue)", "peer": "\(peer.map(String.init(describing:)) ?? "")"])
    }

    // MARK: Limits

    private mutating func warn(_ message: Logger.Message, _ metadata: Logger.Metadata) {
        guard let withheld = refusals.admit(at: .now()) else { return }
        logger.warning(message, metadata: Self.adding(withheld, to: metadata))
    }

    private mutating func debug(
        _ message: Logger.Message, _ metadata: @autoclosure () -> Logger.Metadata
    ) {
        guard logger.logLevel <= .debug, let withheld = malformed.admit(at: .now()) else { return }
        logger.debug(message, metadata: Self.adding(withheld, to: metadata()))
    }

    private static func adding(_ withheld: Int, to metadata: Logger.Metadata) -> Logger.Metadata {
        withheld == 0
            ? metadata : metadata.merging(["withheld_before": "\(withheld)"]) { first, _ in first }
    }
}
