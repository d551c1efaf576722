// SPDX-License-Identifier: Apache-2.0

internal import Faults
internal import Logging
internal import Membership
internal import SerfCore

/// A member that only looks: it joins, hands over what happens, and leaves.
struct GossipObserver {
    private let node: SerfNode

    /// An observer with these settings.
    init(_ settings: SerfNodeSettings, logger: Logger) {
        node = SerfNode(settings, logger: logger)
    }

    /// Observes until the task is cancelled, and then leaves.
    ///
    /// - Parameters:
    ///   - addresses: Whom to join; one that answers is enough.
    ///   - onJoined: Called with the observer's name, once somebody has answered.
    ///   - onEvent: Called with one event after the other.
    /// - Throws: ``Faults/ErrorCode/joinFailed`` if none answers, what `onEvent` throws, and a
    ///   ``Faults/Fault`` if the observer ends by itself.
    func run(
        joining addresses: [String], onJoined: (String) -> Void,
        onEvent: (SerfNodeEvent) async throws -> Void
    ) async throws {
        let events = node.events()
        do throws(MembershipError) {
            try await node.start()
        } catch {
            throw Fault(.invalidValue, error.message, hint: "Choose another address with --bind.")
        }
        do {
            do throws(MembershipError) {
                try await node.join(addresses)
            } catch {
                throw Fault(
                    .joinFailed, error.message,
                    hint: "Check the address; where gossip is encrypted, give --cluster-key-file.")
            }
            onJoined(node.settings.name)
            for await event in events { try await onEvent(event) }
        } catch {
            await leave()
            throw error
        }
        let wasCancelled = Task.isCancelled
        await leave()
        if !wasCancelled { try await throwReason() }
    }

    /// Says why a node has ended that nobody had told to.
    private func throwReason() async throws(Fault) {
        do {
            try await node.run()
        } catch {
            let reason = (error as? MembershipError)?.message ?? "\(error)"
            throw Fault(
                .gossipNotRunning, "the observer has ended: \(reason)", hint: "Start it again.")
        }
    }

    private func leave() async {
        let node = node
        // Unstructured, since the task is cancelled already when it is time to say goodbye.
        await Task {
            // Whoever cannot be told sees the observer as failed, which is all that is lost.
            try? await node.leave()
            await node.close()
        }.value
    }
}
