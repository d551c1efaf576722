// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import ClusterCore
internal import Faults
internal import Logging
internal import Membership
internal import Records
internal import SerfCore
internal import SerfWire
internal import Synchronization

/// The gossip of a node: a Serf node, and what it tells put into the registry.
///
///     SerfNode ──events──▶ follow ──▶ ServerRegistry ──▶ services, clients
///        ▲
///        └── calls of operators, through ServerGossip
///
/// It ends before the node does when an operator lets it leave, or when another member has its name;
/// the node then goes on without it, and says so. Any task may call.
final class NodeGossip: Sendable {
    enum Phase: Sendable {
        case starting
        case running(SerfNode)
        case left
        case failed(String)
    }

    private struct State {
        var phase = Phase.starting
        var address = ""
        /// Whether it was wanted that the Serf node ends.
        var isLeaving = false
        /// Lives as long as the Serf node.
        var life: Task<Void, Never>?
    }

    /// The name among the members.
    let name: String
    private let plan: GossipPlan
    private let registry: ServerRegistry
    private let clock: BrokerClock
    private let logger: Logger
    private let state = Mutex(State())

    /// Gossip that has not started.
    init(_ plan: GossipPlan, registry: ServerRegistry, clock: BrokerClock, logger: Logger) {
        name = plan.settings.name
        self.plan = plan
        self.registry = registry
        self.clock = clock
        self.logger = logger
    }

    // MARK: Life

    /// Opens the sockets and begins to gossip, and to ask the seeds.
    ///
    /// - Returns: Where it listens.
    /// - Throws: ``Faults/ErrorCode/addressInUse``, ``Faults/ErrorCode/invalidValue``.
    func start(_ tags: ServerTags) async throws(Fault) -> ListenAddress {
        var settings = plan.settings
        let host = ListenAddress(settings.advertise ?? "")?.host ?? settings.advertise
        // Without any address to advertise the machine is alone, and told so.
        let isAlone = ListenAddress(host: settings.bindHost, port: 0).isUnspecified
        settings.tags = tags.tags(host: host ?? (isAlone ? "127.0.0.1" : settings.bindHost))
        let serf = SerfNode(settings, logger: logger)
        let events = serf.events()
        do throws(MembershipError) {
            try await serf.start()
            let bound = try await serf.boundEndpoint
            let local = try await serf.localMember
            begin(serf, events, address: "\(local.endpoint)")
            return ListenAddress(host: settings.bindHost, port: Int(bound.port))
        } catch {
            await serf.close()
            throw Fault(error, startingOn: settings)
        }
    }

    private func begin(_ serf: SerfNode, _ events: SerfNodeEvents, address: String) {
        state.withLock { state in
            state.address = address
            state.phase = .running(serf)
            // Unstructured, since it ends when the Serf node does, whoever began it.
            state.life = Task {
                await withDiscardingTaskGroup { group in
                    group.addTask { await self.follow(events, of: serf) }
                    do {
                        try await serf.run()
                        self.ended(nil)
                    } catch {
                        self.ended(error)
                    }
                }
                // Only now nothing of the Serf node can be put into the registry any more.
                self.forgetOthers()
            }
        }
    }

    /// Tells the others, and then ends; or ends without a word when the time is over.
    ///
    /// Returns at once; ``finish()`` waits for it.
    func beginLeaving(within limit: Duration) {
        guard let serf = leavingNode() else { return }
        // Unstructured: the caller is a signal's handler, which cannot wait.
        Task {
            await withTaskGroup { group in
                group.addTask {
                    do throws(MembershipError) {
                        try await serf.leave()
                    } catch {
                        self.logger.warning(
                            "the others may not have been told that this server leaves",
                            metadata: ["error": "\(error)"])
                    }
                }
                group.addTask {
                    // Ends early when the leaving is done.
                    try? await Task.sleep(for: limit)
                }
                await group.next()
                group.cancelAll()
                await serf.close()
            }
        }
    }

    /// Ends without a word, as a crash would: the others see the server as failed.
    func cut() async {
        guard let serf = leavingNode() else { return await finish() }
        await serf.close()
        await finish()
    }

    /// Returns once it has ended.
    func finish() async {
        await state.withLock { $0.life }?.value
    }

    /// The Serf node that is to end, once it is wanted that it does; `nil` where there is none.
    private func leavingNode() -> SerfNode? {
        state.withLock { state in
            state.isLeaving = true
            return if case .running(let serf) = state.phase { serf } else { nil }
        }
    }

    private func ended(_ error: (any Error)?) {
        let detail =
            (error as? MembershipError)?.message ?? error.map { "\($0)" } ?? "it was closed"
        let wasWanted = state.withLock { state in
            state.phase = state.isLeaving ? .left : .failed(detail)
            return state.isLeaving
        }
        guard !wasWanted else { return }
        logger.error(
            "gossip has ended; the server goes on without it, and knows of no others",
            metadata: [
                "reason": "\(detail)", "err_code": "\(ErrorCode.gossipNotRunning.text)",
            ])
    }

    // MARK: Following

    private func follow(_ events: SerfNodeEvents, of serf: SerfNode) async {
        await readAll(of: serf)
        for await event in events {
            switch event {
            case .event(let event):
                let (now, wall) = (SerfNode.now, clock.wall().rawValue)
                for event in event.memberEvents({ ClusterMember($0, now: now, wall: wall) }) {
                    registry.apply(event)
                }
            case .missed(let count):
                logger.notice(
                    "events of members were missed; all members are read again",
                    metadata: ["missed": "\(count)"])
                await readAll(of: serf)
            }
        }
    }

    private func readAll(of serf: SerfNode) async {
        do throws(MembershipError) {
            let members = try await serf.members
            let (now, wall) = (SerfNode.now, clock.wall().rawValue)
            registry.replace(with: members.map { ClusterMember($0, now: now, wall: wall) })
        } catch {
            // A node that has ended is seen to where its end is.
        }
    }

    /// Nobody watches the others any more, so nothing can be said of them; what remains is how this
    /// server is seen.
    private func forgetOthers() {
        guard var local = registry.directory.member(name) else {
            return registry.replace(with: [])
        }
        local.status = if case .left = phase { .left } else { .failed }
        local.since = clock.wall().rawValue
        registry.replace(with: [local])
    }

    // MARK: State

    private var phase: Phase { state.withLock { $0.phase } }

    /// How it does.
    var status: GossipStatus {
        let (phase, address) = state.withLock { ($0.phase, $0.address) }
        var status = GossipStatus(
            state: .running, name: name, address: address, isEncrypted: plan.isEncrypted,
            cluster: plan.cluster)
        switch phase {
        case .running: break
        case .starting: status.state = .starting
        case .left: status.state = .left
        case .failed(let detail):
            status.state = .failed
            status.detail = detail
        }
        return status
    }

    /// The Serf node.
    ///
    /// - Throws: ``Faults/ErrorCode/gossipNotRunning`` where there is none.
    func serf() throws(Fault) -> SerfNode {
        guard case .running(let serf) = phase else { throw status.fault }
        return serf
    }

    /// Leaves for an operator; the server goes on.
    func leaveForGood() async throws(Fault) {
        let serf = try serf()
        state.withLock { $0.isLeaving = true }
        do throws(MembershipError) {
            try await serf.leave()
        } catch {
            await serf.close()
            throw Fault(error)
        }
        await finish()
    }
}
