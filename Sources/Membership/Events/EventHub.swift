// SPDX-License-Identifier: Apache-2.0

internal import SerfCore
internal import Synchronization

/// Hands each event to all who listen.
///
/// Owner: the lock, for a few words; consumers are woken outside of it.
final class EventHub: Sendable {
    private struct State {
        var inboxes: [ObjectIdentifier: EventInbox] = [:]
        var isFinished = false
    }

    private let state = Mutex(State())

    /// A new listener, who gets what is published from now on.
    func subscribe(eventsMax: Int) -> SerfNodeEvents {
        let inbox = EventInbox(eventsMax: eventsMax)
        let isFinished = state.withLock { state in
            if !state.isFinished { state.inboxes[ObjectIdentifier(inbox)] = inbox }
            return state.isFinished
        }
        if isFinished { inbox.finish() }
        return SerfNodeEvents(subscription: Subscription(inbox: inbox, hub: self))
    }

    func publish(_ event: SerfEvent) {
        for inbox in state.withLock({ Array($0.inboxes.values) }) { inbox.put(event) }
    }

    /// No more events: listeners get what they have not read, and then the end.
    func finish() {
        let inboxes = state.withLock { state in
            state.isFinished = true
            defer { state.inboxes = [:] }
            return Array(state.inboxes.values)
        }
        for inbox in inboxes { inbox.finish() }
    }

    fileprivate func remove(_ inbox: EventInbox) {
        state.withLock { _ = $0.inboxes.removeValue(forKey: ObjectIdentifier(inbox)) }
    }

    /// Ends with the last copy of the sequence and its iterator.
    final class Subscription: Sendable {
        let inbox: EventInbox
        private let hub: EventHub

        fileprivate init(inbox: EventInbox, hub: EventHub) {
            self.inbox = inbox
            self.hub = hub
        }

        deinit { hub.remove(inbox) }
    }
}
