// SPDX-License-Identifier: Apache-2.0

public import SerfCore

/// What ``SerfNode/events()`` yields.
public enum SerfNodeEvent: Sendable {
    /// Something happened in the cluster.
    case event(SerfEvent)
    /// The consumer was slow, and so many events that stood here were given up.
    ///
    /// Whoever keeps a table by events reads ``SerfNode/members`` again.
    case missed(Int)
}

/// The events of a ``SerfNode`` from the moment that ``SerfNode/events()`` was called.
///
/// Keeps ``SerfNodeSettings/eventsMax`` events for a slow consumer; beyond that the oldest are given
/// up and counted. Ends when the node has stopped. All iterators of one sequence share its events,
/// and one task at a time may wait; for several consumers, call ``SerfNode/events()`` for each.
public struct SerfNodeEvents: AsyncSequence, Sendable {
    public typealias Element = SerfNodeEvent
    public typealias Failure = Never

    let subscription: EventHub.Subscription

    /// An iterator over the events not yet read.
    public func makeAsyncIterator() -> Iterator { Iterator(subscription: subscription) }

    /// Waits for one event after the other.
    public struct Iterator: AsyncIteratorProtocol {
        public typealias Element = SerfNodeEvent
        public typealias Failure = Never

        let subscription: EventHub.Subscription

        /// The next event; `nil` when the node has stopped or the task is cancelled.
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async -> SerfNodeEvent? {
            await subscription.inbox.next()
        }
    }
}
