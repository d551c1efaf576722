// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Hands elements from one task to another, one at a time: the giver waits until its element was
/// taken, so that nothing piles up between them.
///
/// One task gives. Should several take, each element goes to one of them.
final class Handoff<Element: Sendable>: Sendable {
    private struct State {
        var element: Element?
        var end: Result<Void, CordwoodError>?
    }

    private let state = Mutex(State())
    private let giverBell = Doorbell()
    private let takerBell = Doorbell()

    /// Offers an element and waits until it was taken; returns early when the task is cancelled.
    func give(_ element: Element) async {
        state.withLock { $0.element = element }
        takerBell.ring()
        while !Task.isCancelled, state.withLock({ $0.element != nil }) { await giverBell.wait() }
    }

    /// Says that no element follows, and why.
    func finish(_ end: Result<Void, CordwoodError>) {
        state.withLock { $0.end = $0.end ?? end }
        takerBell.ring()
    }

    /// Waits for the next element; `nil` at the end, and ever after.
    func take() async throws(CordwoodError) -> Element? {
        while true {
            let (element, end) = state.withLock { ($0.element.take(), $0.end) }
            if let element {
                giverBell.ring()
                return element
            }
            if let end {
                // Others may have heard no ring of their own.
                takerBell.ring()
                try end.get()
                return nil
            }
            if Task.isCancelled { throw CordwoodError(.cancelled, "reading was cancelled") }
            await takerBell.wait()
        }
    }
}
