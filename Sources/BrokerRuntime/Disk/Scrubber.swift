// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import Faults
internal import Logging

/// Reads all closed segments again and again, slowly, to find damage before it is needed.
///
/// Owned by the log thread; the reading is done elsewhere.
struct Scrubber {
    /// Bytes to read a second; 0 turns it off.
    let bytesPerSecond: UInt64
    private var isReading = false
    private var lastPartition: String?
    private var cursor: ScrubCursor?

    init(bytesPerSecond: UInt64) {
        self.bytesPerSecond = bytesPerSecond
    }

    /// Reads the next stretch, unless the last one is still being read.
    mutating func step(over logs: [PartitionLog], host: PartitionHost, logger: Logger) {
        guard bytesPerSecond > 0, !isReading, let log = choose(from: logs) else { return }
        isReading = true
        lastPartition = log.partition.name
        let snapshot = log.log.snapshot
        let partition = log.partition
        let from = cursor
        let bytes = bytesPerSecond
        let queue = host.queue
        host.syncers.submit {
            var next: ScrubCursor?
            do throws(LogError) {
                let step = try snapshot.scrub(from: from, bytesMax: bytes)
                next = step.next
                for damage in step.damages { Self.report(damage, in: partition, logger) }
            } catch {
                logger.error(
                    "the scrubber cannot read a partition",
                    metadata: ["partition": "\(partition.name)", "error": "\(error)"])
            }
            let reached = next
            queue.push(.run { $0.endScrub(reachedBy: reached) })
        }
    }

    /// Takes note of where the last stretch ended.
    mutating func end(reachedBy next: ScrubCursor?) {
        isReading = false
        cursor = next
    }

    /// The partition under way, or the next one by name that has closed segments.
    private func choose(from logs: [PartitionLog]) -> PartitionLog? {
        if cursor != nil, let log = logs.first(where: { $0.partition.name == lastPartition }) {
            return log
        }
        let candidates = logs.filter { $0.log.segmentCount > 1 }
            .sorted { $0.partition.name < $1.partition.name }
        return candidates.first { $0.partition.name > lastPartition ?? "" } ?? candidates.first
    }

    private static func report(_ damage: Damage, in partition: Partition, _ logger: Logger) {
        partition.note(damage)
        logger.critical(
            "the scrubber found damaged records",
            metadata: [
                "partition": "\(partition.name)", "damage": "\(damage)",
                "err_code": "\(ErrorCode.dataLoss.text)",
            ])
    }
}
