// SPDX-License-Identifier: Apache-2.0

public import ClusterCore
internal import Synchronization

/// Where everything in this process reads who is in the cluster.
///
/// Gossip writes it, from one task; anybody reads it, from any thread. What is read is a value: it
/// stays as it was while the cluster goes on.
public final class ServerRegistry: Sendable {
    /// Something that changed, and what there is since.
    public struct Update: Sendable, Equatable {
        /// Counts the changes since the registry was made.
        ///
        /// A gap says that updates were dropped because the reader was slow; ``directory`` has what they came to.
        public var sequence: UInt64
        /// The change.
        public var event: MemberEvent
        /// All members since then.
        public var directory: ServerDirectory
    }

    private struct State {
        var directory = ServerDirectory()
        var sequence: UInt64 = 0
        var nextReader: UInt64 = 0
        /// By the order in which they came, so that each change goes out in that order.
        var readers: [(id: UInt64, continuation: AsyncStream<Update>.Continuation)] = []
    }

    /// Updates that a reader may be behind; of more, the oldest are dropped.
    public static let updatesMax = 256

    private let state = Mutex(State())

    /// A registry of nobody.
    public init() {}

    /// Who is in the cluster.
    public var directory: ServerDirectory { state.withLock { $0.directory } }

    /// Takes note of what gossip told.
    public func apply(_ event: MemberEvent) {
        publish { directory in directory.apply(event).map { [$0] } ?? [] }
    }

    /// Takes note of all members at once: at the start, and where events were missed.
    public func replace(with members: [ClusterMember]) {
        publish { $0.replace(with: members) }
    }

    /// The members now, and each change from then on, until the reader stops.
    ///
    /// A reader that is slow loses the oldest updates and sees it by their ``Update/sequence``.
    public func updates() -> (directory: ServerDirectory, updates: AsyncStream<Update>) {
        let (stream, continuation) = AsyncStream<Update>.makeStream(
            bufferingPolicy: .bufferingNewest(Self.updatesMax))
        let (id, directory) = state.withLock { state in
            state.nextReader += 1
            state.readers.append((state.nextReader, continuation))
            return (state.nextReader, state.directory)
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { state in state.readers.removeAll { $0.id == id } }
        }
        return (directory, stream)
    }

    /// How many read the changes.
    var readerCount: Int { state.withLock { $0.readers.count } }

    private func publish(_ change: (inout ServerDirectory) -> [MemberEvent]) {
        state.withLock { state in
            for event in change(&state.directory) {
                state.sequence += 1
                let update = Update(
                    sequence: state.sequence, event: event, directory: state.directory)
                // Only puts it into the reader's buffer, and wakes the reader.
                for reader in state.readers { reader.continuation.yield(update) }
            }
        }
    }
}
