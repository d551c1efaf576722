// SPDX-License-Identifier: Apache-2.0

import CommitLog
import Disk
import RaftCore
import Records
import Replication

/// A replica without peers, called as the log thread calls it.
final class LoneReplica {
    private let replica: Replica
    private var outputs: [ReplicaOutput] = []
    private let now = Timestamp(milliseconds: 1)

    init(_ directory: String, on fileSystem: any FileSystem) throws {
        var log = LogSettings()
        log.segmentSizeMax = 1 << 30
        let id = ReplicaID(node: 1, life: 1)
        var settings = ReplicaSettings(
            id: id, group: GroupID(high: 1, low: 1, partition: 0),
            bootstrap: Configuration(voters: [id]), log: log)
        settings.isRelaxed = true
        replica = try Replica(
            settings, directory: directory, logGroup: 1, on: fileSystem, record: nil, now: now,
            seed: 1)
        replica.campaign(now: now, into: &outputs)
        let wanted = outputs
        outputs = []
        for output in wanted {
            if case .saveHardState(_, let version) = output {
                replica.hardStateSaved(version: version, now: now, into: &outputs)
            }
        }
        precondition(replica.isReady, "a group of one leads at once")
    }

    func append(_ batch: BatchBuffer) throws {
        let result = try replica.append([batch], bytes: batch.count, now: now, into: &outputs)
        if let failure = result.failure { throw failure }
        outputs.removeAll(keepingCapacity: true)
    }
}
