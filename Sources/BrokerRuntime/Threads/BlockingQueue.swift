// SPDX-License-Identifier: Apache-2.0

internal import DequeModule

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A queue on which a dedicated thread waits for work.
///
/// `@unchecked Sendable`: the elements are touched only while the mutex is held. A `Mutex` cannot
/// be waited on, so this is the system's mutex with its condition variable.
final class BlockingQueue<Element: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var elements: Deque<Element> = []
    private var isClosed = false
    private var waiting = 0

    init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        #if canImport(Glibc)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        #endif
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Adds an element; whether the queue was still open.
    @discardableResult
    func push(_ element: Element) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isClosed else { return false }
        elements.append(element)
        if waiting > 0 { pthread_cond_signal(condition) }
        return true
    }

    /// Takes all elements, waiting for one at most so long; nothing when the time is over.
    func takeAll(waiting milliseconds: Int) -> Deque<Element> {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if elements.isEmpty, !isClosed, milliseconds > 0 {
            var deadline = timespec()
            clock_gettime(CLOCK_MONOTONIC, &deadline)
            let nanoseconds = deadline.tv_nsec + (milliseconds % 1000) * 1_000_000
            deadline.tv_sec += milliseconds / 1000 + nanoseconds / 1_000_000_000
            deadline.tv_nsec = nanoseconds % 1_000_000_000
            waiting += 1
            while elements.isEmpty, !isClosed {
                if pthread_cond_timedwait(condition, mutex, &deadline) != 0 { break }
            }
            waiting -= 1
        }
        let taken = elements
        elements = []
        return taken
    }

    /// Takes one element, waiting for it; `nil` once the queue is closed and empty.
    func takeOne() -> Element? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        waiting += 1
        while elements.isEmpty, !isClosed { pthread_cond_wait(condition, mutex) }
        waiting -= 1
        return elements.isEmpty ? nil : elements.removeFirst()
    }

    /// Takes no more elements and wakes those who wait.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }
}
