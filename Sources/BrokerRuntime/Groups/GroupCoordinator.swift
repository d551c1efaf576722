// SPDX-License-Identifier: Apache-2.0

internal import Faults
public import GroupCore
internal import Logging
internal import Synchronization

/// Who owns which partition, and how far each group has come: the shell of ``GroupCore/GroupCore``.
///
/// ```
/// handlers ──requests──▶ queue ──▶ coordinator's thread: GroupCore ──facts──▶ log thread ──▶ disk
///     ▲                    ▲                   │                                  │
///     └────── answers ─────┼───────────────────┘                                  │
///                          └──────────────── these are durable ◀──────────────────┘
/// ```
///
/// Any thread may call. The core has one owner, a thread of its own, which never waits for the disk
/// once it serves; the facts that must survive are kept in a ``GroupLog``. Until that was read every
/// request is answered with ``GroupCore/GroupError/coordinatorLoadInProgress``.
public final class GroupCoordinator: Sendable {
    /// What the coordinator's thread is asked to do.
    enum Command: Sendable {
        /// Calls back with the answer; with none if nobody was asked for it any more.
        case request(RequestID, GroupRequest, @Sendable (GroupResponse?) -> Void)
        case abandon(RequestID)
        /// Calls back with a copy of the core, or with why there is none.
        case inspect(@Sendable (Result<GroupCore, Fault>) -> Void)
        case storage(GroupLog.Event)
        case topicDeleted(UInt128)
        /// Time has passed that the thread could not know of.
        case wake
        case stop
    }

    private enum Phase {
        case idle
        /// The log is being read.
        case loading
        case serving
        /// The log cannot be read.
        case failed
        case stopped
    }

    private struct State {
        var phase = Phase.idle
        /// Requests that were taken and have no answer yet.
        var requestCount = 0
        var requestsMade: UInt64 = 0
        var broker: Broker?
    }

    /// The most requests that wait at a time: a group's members all wait while it is rebalanced.
    static let requestsMax = 50_000

    let queue = BlockingQueue<Command>()
    let storage: GroupStorage
    let settings: GroupSettings
    let snapshotSizeMin: Int
    private let state = Mutex(State())
    private let thread = Mutex<DedicatedThread?>(nil)

    init(_ storage: GroupStorage, settings: GroupSettings, snapshotSizeMin: Int) {
        self.storage = storage
        self.settings = settings
        self.snapshotSizeMin = snapshotSizeMin
    }

    // MARK: Its life

    /// Begins to read the log, and then to serve.
    func start(of broker: Broker) {
        state.withLock { state in
            precondition(state.phase == .idle, "a coordinator starts once")
            state.phase = .loading
            // Let go of in `stop()`: the broker and its coordinator know each other.
            state.broker = broker
        }
        let started = DedicatedThread {
            var thread = GroupThread(self)
            thread.run()
        }
        thread.withLock { $0 = started }
    }

    /// Refuses requests from now on, makes durable what is on its way, answers all who wait and ends
    /// the thread.
    func stop() async {
        let wasRunning = state.withLock { state in
            defer { state.phase = .stopped }
            return state.phase != .stopped && state.phase != .idle
        }
        guard wasRunning else { return }
        queue.push(.stop)
        let ending = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        // Waited for where threads may wait.
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            let isTaken = storage.host.syncers.submit {
                ending?.join()
                continuation.resume()
            }
            if !isTaken { continuation.resume() }
        }
        state.withLock { $0.broker = nil }
    }

    /// Takes note that the log was read, or could not be.
    func endLoading(succeeded: Bool) {
        state.withLock { state in
            if state.phase == .loading { state.phase = succeeded ? .serving : .failed }
        }
    }

    /// The broker, while it is open.
    var broker: Broker? { state.withLock { $0.broker } }

    /// Forgets the offsets that were committed of a topic.
    func topicDeleted(_ id: UInt128) { queue.push(.topicDeleted(id)) }

    /// Looks at the clock again.
    func wake() { queue.push(.wake) }

    // MARK: Requests

    /// Asks something, and waits for the answer.
    ///
    /// When the task is cancelled, nobody waits any more: a member that was joining is taken out.
    func perform(_ request: GroupRequest, evenWhileLoading: Bool = false) async -> GroupResponse {
        let admission = admit(evenWhileLoading: evenWhileLoading)
        let id: RequestID
        switch admission {
        case .success(let admitted): id = admitted
        case .failure(let error): return request.refused(error)
        }
        let response = await withTaskCancellationHandler {
            await withUnsafeContinuation {
                (continuation: UnsafeContinuation<GroupResponse?, Never>) in
                let isTaken = queue.push(
                    .request(id, request) { [self] response in
                        state.withLock { $0.requestCount -= 1 }
                        continuation.resume(returning: response)
                    })
                if !isTaken {
                    state.withLock { $0.requestCount -= 1 }
                    continuation.resume(returning: nil)
                }
                // The handler below may have been ahead of the request.
                if Task.isCancelled { queue.push(.abandon(id)) }
            }
        } onCancel: {
            queue.push(.abandon(id))
        }
        return response ?? request.refused(.coordinatorNotAvailable)
    }

    private func admit(evenWhileLoading: Bool) -> Result<RequestID, GroupError> {
        state.withLock { state in
            switch state.phase {
            case .loading where !evenWhileLoading: return .failure(.coordinatorLoadInProgress)
            case .idle, .failed, .stopped: return .failure(.coordinatorNotAvailable)
            case .loading, .serving: break
            }
            guard state.requestCount < Self.requestsMax else {
                return .failure(.coordinatorNotAvailable)
            }
            state.requestCount += 1
            state.requestsMade += 1
            return .success(RequestID(state.requestsMade))
        }
    }

    /// A copy of the core, once there is one.
    func inspect() async throws(Fault) -> GroupCore {
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<GroupCore, Fault>, Never>) in
            let isTaken = queue.push(.inspect { continuation.resume(returning: $0) })
            if !isTaken { continuation.resume(returning: .failure(Broker.stopping)) }
        }
        return try result.get()
    }
}

// MARK: - What members and clients ask

extension GroupCoordinator {
    /// Waits for the next generation of a group, as a member of it.
    public func joinGroup(_ request: JoinGroup) async -> JoinGroup.Answer {
        guard case .joinGroup(let answer) = await perform(.joinGroup(request)) else { mismatch() }
        return answer
    }

    /// Waits for the member's assignment.
    public func syncGroup(_ request: SyncGroup) async -> SyncGroup.Answer {
        guard case .syncGroup(let answer) = await perform(.syncGroup(request)) else { mismatch() }
        return answer
    }

    /// Takes note that a member is alive.
    public func heartbeat(_ request: Heartbeat) async -> GroupError? {
        guard case .heartbeat(let error) = await perform(.heartbeat(request)) else { mismatch() }
        return error
    }

    /// Takes members out of a group.
    public func leaveGroup(_ request: LeaveGroup) async -> LeaveGroup.Answer {
        guard case .leaveGroup(let answer) = await perform(.leaveGroup(request)) else {
            mismatch()
        }
        return answer
    }

    /// Commits offsets; returns once they are durable.
    public func offsetCommit(_ request: OffsetCommit) async -> OffsetCommit.Answer {
        guard case .offsetCommit(let answer) = await perform(.offsetCommit(request)) else {
            mismatch()
        }
        return answer
    }

    /// Looks committed offsets up.
    public func offsetFetch(_ request: OffsetFetch) async -> OffsetFetch.Answer {
        guard case .offsetFetch(let answer) = await perform(.offsetFetch(request)) else {
            mismatch()
        }
        return answer
    }

    /// Describes groups as the protocol does.
    public func describeGroups(_ request: DescribeGroups) async -> DescribeGroups.Answer {
        guard case .describeGroups(let answer) = await perform(.describeGroups(request)) else {
            mismatch()
        }
        return answer
    }

    /// Lists groups as the protocol does.
    public func listGroups(_ request: ListGroups) async -> ListGroups.Answer {
        guard case .listGroups(let answer) = await perform(.listGroups(request)) else {
            mismatch()
        }
        return answer
    }

    /// Deletes groups without members; returns once they are gone for good.
    public func deleteGroups(_ request: DeleteGroups) async -> DeleteGroups.Answer {
        guard case .deleteGroups(let answer) = await perform(.deleteGroups(request)) else {
            mismatch()
        }
        return answer
    }

    /// Forgets committed offsets; returns once they are gone for good.
    public func offsetDelete(_ request: OffsetDelete) async -> OffsetDelete.Answer {
        guard case .offsetDelete(let answer) = await perform(.offsetDelete(request)) else {
            mismatch()
        }
        return answer
    }

    func mismatch() -> Never { preconditionFailure("an answer to another kind of request") }
}
