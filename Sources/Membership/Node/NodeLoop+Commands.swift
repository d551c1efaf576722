// SPDX-License-Identifier: Apache-2.0

internal import CoreMetrics
internal import NIOCore
internal import NIOPosix
internal import SerfCore
internal import SwimCore

extension NodeLoop {
    /// Hands a command to the core.
    ///
    /// - Returns: Its number, by which its waiter is found until it has ended.
    @discardableResult
    func command(_ command: Serf.Command, waiter: CommandWaiter) -> CommandID? {
        guard !isClosed else {
            waiter.end(.failure(MembershipError(.closed, "the node was closed")))
            return nil
        }
        lastCommand += 1
        let id = CommandID(rawValue: lastCommand)
        commands[id] = waiter
        receive(.command(id, command))
        return commands[id] == nil ? nil : id
    }

    /// Looks up what is to be joined, and joins it.
    func join(
        _ seeds: [HostAndPort], replayEvents: Bool,
        end: @escaping (Result<CommandOutcome, MembershipError>) -> Void
    ) {
        let port = seedPort
        NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
            ResolvedSeed.resolve(seeds, defaultPort: port)
        }.assumeIsolated().whenComplete { result in
            // The pool fails only when it is shut down, as nothing else in the process works then.
            let resolved = (try? result.get()) ?? []
            do throws(MembershipError) {
                let endpoints = try self.endpoints(of: resolved)
                guard !endpoints.isEmpty else {
                    let names = seeds.map(\.host).joined(separator: ", ")
                    throw MembershipError(
                        .unknownHost, "there is no address to join, but our own, at \(names)")
                }
                self.command(
                    .join(endpoints, replayEvents: replayEvents), waiter: CommandWaiter(end: end))
            } catch {
                end(.failure(error))
            }
        }
    }

    /// Leaves, and closes when that is done; a node that leaves already goes on with it.
    func leave(end: @escaping (Result<CommandOutcome, MembershipError>) -> Void) {
        guard core.phase == .running else {
            // Whoever asks twice is told when it is over.
            closed.futureResult.assumeIsolated().whenComplete { _ in end(.success(.done)) }
            return
        }
        rejoin.scheduled?.cancel()
        command(.leave, waiter: CommandWaiter(end: end))
    }

    /// Figures of the node at this moment.
    func statistics() -> NodeStatistics {
        NodeStatistics(
            healthScore: core.health, members: memberCounts, queueDepths: queueDepths,
            isEncrypted: seal.isEncrypting, sockets: counts, gossip: core.counters)
    }

    var memberCounts: [MemberStatus: Int] {
        Dictionary(
            uniqueKeysWithValues: MemberStatus.allCases.map { ($0, core.memberCount(of: $0)) })
    }

    private var queueDepths: [GossipQueueName: Int] {
        let depths = core.queueDepths
        return [
            .memberlist: depths.swim, .intents: depths.intents, .queries: depths.queries,
            .events: depths.events,
        ]
    }

    /// Brings gauges and counters up to date.
    func report() {
        metrics.record(members: memberCounts)
        metrics.record(queues: queueDepths)
        metrics.healthScore.record(core.health)
        metrics.report(sockets: counts, gossip: core.counters)
    }
}
