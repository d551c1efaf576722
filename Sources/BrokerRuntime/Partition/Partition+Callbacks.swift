// SPDX-License-Identifier: Apache-2.0

public import CommitLog
public import Faults
public import Records
internal import Synchronization

/// What event loops call: nothing here waits, and answers come by callbacks.
extension Partition {
    /// Reads whole batches if that needs no disk; see ``read(from:bytesMax:)``.
    ///
    /// - Returns: `nil` where ``readBlocking(from:bytesMax:)`` has to be asked on another thread, and
    ///   at the high watermark.
    public func readCached(
        from offset: Offset, bytesMax: Int,
        into memory: @escaping BatchMemory.Source = BatchMemory.heap
    ) throws(Fault) -> FetchedBatches? {
        let snapshot = try snapshot()
        let name = name
        do throws(LogError) {
            return try snapshot.readCached(
                from: offset, bytesMax: min(bytesMax, Self.cachedReadMax),
                verifying: host.verifiesReads, into: memory)
        } catch {
            throw Fault(error, of: name)
        }
    }

    /// Reads whole batches on the calling thread, which may wait for the disk.
    public func readBlocking(
        from offset: Offset, bytesMax: Int,
        into memory: @escaping BatchMemory.Source = BatchMemory.heap
    ) throws(Fault) -> FetchedBatches {
        let snapshot = try snapshot()
        do throws(LogError) {
            let result = try snapshot.read(
                from: offset, bytesMax: bytesMax, verifying: host.verifiesReads, into: memory)
            if let damaged = result.damagedIndex { onDamagedIndex(self, damaged) }
            return result.batches
        } catch {
            throw Fault(error, of: name)
        }
    }

    /// Runs a call on a thread that may wait for the disk.
    ///
    /// - Returns: Whether it will run: not when the server is stopping.
    public func onReaderThread(_ body: @escaping @Sendable () -> Void) -> Bool {
        host.readers.submit(body)
    }

    /// Where the log begins and ends for readers.
    ///
    /// - Throws: Why there is nothing to read.
    public var bounds: Range<Offset> {
        get throws(Fault) {
            let snapshot = try snapshot()
            return snapshot.logStartOffset..<snapshot.highWatermark
        }
    }

    /// Has a watch call back once the high watermark is beyond `offset`, or the partition goes away.
    ///
    /// - Returns: Whether it has to wait; if not it is beyond already.
    public func watch(_ watch: RecordsWatch, beyond offset: Offset) throws(Fault) -> Bool {
        try register(watch, beyond: offset)
    }

    /// Calls back once there is room in the partition's queue again.
    ///
    /// - Returns: Whether it has to wait; if not there is room now, and no call comes.
    public func onRoom(
        for bytes: Int, _ callback: @escaping @Sendable () -> Void
    ) -> Bool {
        inbox.withLock { inbox -> Bool in
            guard inbox.refusal == nil, inbox.byteCount > 0,
                inbox.byteCount + bytes > host.queueBytesMax
            else { return false }
            inbox.roomWaiters.append(callback)
            return true
        }
    }
}
