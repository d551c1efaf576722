// SPDX-License-Identifier: Apache-2.0

internal import Disk
internal import Faults
internal import Logging
internal import Synchronization

/// How full the disk is.
public enum DiskState: Sendable, Equatable {
    case ok
    case low(free: UInt64)
    /// Appends are refused with ``Faults/ErrorCode/diskFull``. Reads go on.
    case critical(free: UInt64)
}

/// Watches the room on the disk, and stops appends before there is none.
///
/// A reserve file is given up when room runs out, so that the files that keep the node consistent
/// can still grow; it is filled again when there is room for it.
struct DiskGuardian {
    let fileSystem: any FileSystem
    let directory: String
    let lowBytes: UInt64
    let criticalBytes: UInt64
    let reserveBytes: UInt64
    /// Where others see the state.
    let state: SharedDiskState
    private var reserveIsHeld = false

    init(
        fileSystem: any FileSystem, directory: String, settings: BrokerSettings,
        state: SharedDiskState
    ) {
        self.fileSystem = fileSystem
        self.directory = directory
        lowBytes = settings.diskLowBytes
        criticalBytes = settings.diskCriticalBytes
        reserveBytes = settings.diskReserveBytes
        self.state = state
    }

    private var reservePath: String { directory + "/reserve" }

    /// Measures the room and acts on it.
    mutating func check(host: PartitionHost, logger: Logger) {
        let free: UInt64
        do throws(FileError) {
            free = try fileSystem.space(at: directory).free
        } catch {
            logger.warning("cannot measure the disk", metadata: ["error": "\(error)"])
            return
        }
        // What the reserve gives back does not count as room.
        let needed = reserveIsHeld ? criticalBytes : criticalBytes + reserveBytes
        if free < needed {
            enter(.critical(free: free), host: host, logger: logger)
            releaseReserve(logger: logger)
            return
        }
        holdReserve(logger: logger)
        enter(free < lowBytes ? .low(free: free) : .ok, host: host, logger: logger)
    }

    /// A write found no room: no need to measure.
    mutating func noteDiskFull(host: PartitionHost, logger: Logger) {
        releaseReserve(logger: logger)
        enter(.critical(free: 0), host: host, logger: logger)
    }

    private func enter(_ new: DiskState, host: PartitionHost, logger: Logger) {
        let old = state.exchange(new)
        switch new {
        case .critical(let free):
            let fault = Fault(
                .diskFull,
                "the disk of \(directory) has \(free) bytes left, "
                    + "the critical mark is \(criticalBytes)")
            host.setRefusal(fault)
            if !old.isCritical {
                logger.error(
                    "the disk is full: appends are refused until there is room",
                    metadata: ["free": "\(free)", "err_code": "\(ErrorCode.diskFull.text)"])
            }
        case .low(let free):
            host.setRefusal(nil)
            if old == .ok || old.isCritical {
                logger.warning("the disk is getting full", metadata: ["free": "\(free)"])
            }
        case .ok:
            host.setRefusal(nil)
            if old != .ok { logger.notice("the disk has room again") }
        }
    }

    private mutating func holdReserve(logger: Logger) {
        guard !reserveIsHeld, reserveBytes > 0 else { return }
        do throws(FileError) {
            if let status = try fileSystem.status(of: reservePath), status.size >= reserveBytes {
                reserveIsHeld = true
                return
            }
            let isThere = try fileSystem.status(of: reservePath) != nil
            let file = try fileSystem.open(reservePath, isThere ? .readWrite : .create)
            let piece = [UInt8](repeating: 0xc0, count: 1 << 20)
            var position: UInt64 = 0
            while position < reserveBytes {
                let count = min(UInt64(piece.count), reserveBytes - position)
                try file.write(Array(piece.prefix(Int(count))), at: position)
                position += count
            }
            reserveIsHeld = true
        } catch {
            logger.warning("cannot hold a reserve on the disk", metadata: ["error": "\(error)"])
            releaseReserve(logger: logger)
        }
    }

    private mutating func releaseReserve(logger: Logger) {
        reserveIsHeld = false
        do throws(FileError) {
            if try fileSystem.status(of: reservePath) != nil {
                try fileSystem.remove(reservePath)
            }
        } catch {
            logger.warning("cannot give up the reserve", metadata: ["error": "\(error)"])
        }
    }
}

extension DiskState {
    var isCritical: Bool {
        if case .critical = self { true } else { false }
    }
}

/// The state of the disk, for all to see.
final class SharedDiskState: Sendable {
    private let state = Mutex(DiskState.ok)

    var value: DiskState { state.withLock { $0 } }

    func exchange(_ new: DiskState) -> DiskState {
        state.withLock { state in
            defer { state = new }
            return state
        }
    }
}
