// SPDX-License-Identifier: Apache-2.0

internal import Faults
internal import Synchronization

/// One wait for records of any of several partitions, for callers that are not tasks.
///
/// Given to ``Partition/watch(_:beyond:)`` of each partition; the first that gets records calls back,
/// once, on a storage thread. A watch that is no longer wanted is cancelled, and then forgotten by
/// the partitions as others come.
public final class RecordsWatch: RecordsWaiter {
    private let callback: Mutex<(@Sendable () -> Void)?>

    /// A watch that calls back when there is something.
    public init(_ callback: @escaping @Sendable () -> Void) {
        self.callback = Mutex(callback)
    }

    /// No call comes after this, but for one that is under way.
    public func cancel() { callback.withLock { $0 = nil } }

    var isDone: Bool { callback.withLock { $0 == nil } }

    /// Failures wake as records do: whoever looks again is told.
    func wake(_ result: Result<Void, Fault>) {
        let callback = callback.withLock { callback in
            defer { callback = nil }
            return callback
        }
        callback?()
    }
}
