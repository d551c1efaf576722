// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import Disk
internal import Faults
internal import Logging
internal import RaftCore
internal import Records
internal import Replication

// What replicas want done.
extension LogThread {
    /// Calls the node, ends the turn, and does all that follows.
    ///
    /// Whoever waits for a commit is answered before this returns.
    mutating func turn(
        _ body: (ReplicaNode, inout [ReplicaNode.Output]) -> Void
    ) {
        var outputs: [ReplicaNode.Output] = []
        body(node, &outputs)
        endTurn(&outputs)
    }

    /// Ends a turn that has brought these.
    mutating func endTurn(_ outputs: inout [ReplicaNode.Output]) {
        node.endTurn(into: &outputs)
        for output in outputs { perform(output) }
        publishChanged()
    }

    private mutating func perform(_ output: ReplicaNode.Output) {
        switch output {
        case .replica(let group, let output): perform(output, of: group)
        case .send(let message): host.sendToPeer(message)
        case .journalIsDirty: noteJournalIsDirty()
        case .journalFailed(let error):
            logger.critical(
                "the journal of votes failed; no partition takes records until a restart",
                metadata: ["error": "\(error)", "err_code": "\(ErrorCode.storageFailed.text)"])
            failJournal(error)
        }
    }

    private mutating func perform(_ output: ReplicaOutput, of group: GroupID) {
        guard let log = log(of: group) else { return }
        switch output {
        case .committed: noteChanged(log)
        case .wrote: noteWritten(log)
        case .roleChanged(let report):
            log.noteRole(report)
            noteChanged(log)
        case .read(let request, let reader): read(request, reader, of: group)
        case .diskFull: guardian.noteDiskFull(host: host, logger: logger)
        case .failed: noteChanged(log)
        case .observed(let observation):
            logger.debug(
                "replica",
                metadata: ["partition": "\(log.partition.name)", "event": "\(observation)"])
        case .membersChanged, .readReady, .readFailed, .changeEnded, .transferEnded: break
        case .send, .saveHardState:
            preconditionFailure("the node keeps messages and saves to itself")
        }
    }

    /// Reads entries for a follower that is far behind, on a thread that may wait for the disk.
    private func read(_ request: StoredRequest, _ reader: EntryReader, of group: GroupID) {
        let queue = host.queue
        let clock = host.clock
        host.readers.submit {
            var entries: [LogEntry] = []
            do throws(LogError) {
                entries = try reader.read(
                    from: request.first, through: request.last, bytesMax: request.bytesMax)
            } catch {
                // The follower asks again; damage is the scrubber's to report.
            }
            let found = entries
            queue.push(
                .run { thread in
                    thread.turn { node, outputs in
                        _ = node.call(group, into: &outputs) { replica, wanted in
                            replica.finish(request, with: found, now: clock.now, into: &wanted)
                        }
                    }
                })
        }
    }
}
