// SPDX-License-Identifier: Apache-2.0

public import CommitLog
internal import Disk
public import RaftCore
public import Records

// What the core decides, done.
extension Replica {
    /// Hands an input to the core and performs what it wants.
    func step(
        _ input: Input, carrying message: PeerMessage? = nil, now: Timestamp,
        into outputs: inout [ReplicaOutput]
    ) {
        self.now = now
        decide(input, carrying: message, into: &outputs)
        performFollowUps(into: &outputs)
    }

    private func performFollowUps(into outputs: inout [ReplicaOutput]) {
        while !followUps.isEmpty { decide(followUps.removeFirst(), carrying: nil, into: &outputs) }
    }

    private func decide(
        _ input: Input, carrying message: PeerMessage?, into outputs: inout [ReplicaOutput]
    ) {
        var effects: [Effect] = []
        swap(&effects, &self.effects)
        if case .storageFailed = input { failureIsTold = true }
        raft.receive(input, into: &effects)
        for effect in effects { perform(effect, carrying: message, into: &outputs) }
        effects.removeAll(keepingCapacity: true)
        swap(&effects, &self.effects)
    }

    private func perform(
        _ effect: Effect, carrying message: PeerMessage?, into outputs: inout [ReplicaOutput]
    ) {
        switch effect {
        case .saveHardState(let state, let version):
            outputs.append(.saveHardState(state, version: version))
        case .append(let request): append(request, carrying: message, into: &outputs)
        case .send(let message): send(message, into: &outputs)
        case .sendStored(let request): outputs.append(.read(request, log.entryReader()))
        case .commit(let index):
            log.commit(upTo: min(index, log.lastIndex))
            outputs.append(.committed(index))
            // A segment whose records were to be forgotten may have waited for its last entry.
            if let moved = moveCacheStart() { followUps.append(moved) }
        case .roleChanged(let report):
            if report.role == .leader { log.beginTerm(report.term) }
            outputs.append(.roleChanged(report))
        case .membersChanged(let members): outputs.append(.membersChanged(members))
        case .readReady(let read, let index): outputs.append(.readReady(read, index))
        case .readFailed(let read): outputs.append(.readFailed(read))
        case .changeEnded(let refusal): outputs.append(.changeEnded(refusal))
        case .transferEnded: outputs.append(.transferEnded)
        case .installSnapshot(let snapshot, _):
            install(snapshot, at: message?.offset ?? .zero, into: &outputs)
        case .repair(let first, let infos):
            repair(first, infos, carrying: message, into: &outputs)
        case .observed(let observation): outputs.append(.observed(observation))
        }
    }

    // MARK: The log

    private func append(
        _ request: AppendRequest, carrying message: PeerMessage?,
        into outputs: inout [ReplicaOutput]
    ) {
        do throws(LogError) {
            if request.truncates {
                cache.truncate(from: request.first)
                try log.truncate(after: request.first.previous)
            }
            // Whatever is synced from here on is what this append has left behind.
            epoch = request.epoch
            let entries = entries(of: request, carrying: message)
            if let first = entries.first, first.baseOffset != log.nextOffset {
                throw .unusable(
                    path: log.directory,
                    reason: "goes on at offset \(log.nextOffset), and its leader's at "
                        + "\(first.baseOffset): they are not the same log")
            }
            try log.append(replicated: entries[...], now: now)
            for (number, entry) in entries.enumerated() {
                cache.add(entry, at: request.first.advanced(by: number))
            }
            outputs.append(.wrote)
            if isRelaxed {
                followUps.append(.entriesStored(through: log.lastIndex, epoch: epoch))
            }
        } catch {
            if case .diskFull = error {
                epoch = request.epoch
                outputs.append(.diskFull(error))
                followUps.insert(.entriesRefused(last: log.lastIndex), at: 0)
            } else {
                outputs.append(.failed(error))
                followUps.insert(.storageFailed, at: 0)
            }
        }
    }

    /// The content of the entries that the core wants written.
    private func entries(
        of request: AppendRequest, carrying message: PeerMessage?
    ) -> [LogEntry] {
        if let skipped = request.skippedOfMessage {
            guard let message else { preconditionFailure("entries of a message that is not here") }
            return Array(message.entries[skipped..<(skipped + request.entries.count)])
        }
        return request.entries.map { info in
            switch info.kind {
            case .configuration(let configuration):
                LogEntry(
                    .configuration, term: info.term, baseOffset: log.nextOffset,
                    payload: configuration.encoded)
            case .noOp: LogEntry(.noOp, term: info.term, baseOffset: log.nextOffset)
            case .data: preconditionFailure("the core makes no data")
            }
        }
    }

    private func install(
        _ snapshot: Snapshot, at offset: Offset, into outputs: inout [ReplicaOutput]
    ) {
        do throws(LogError) {
            unfinished = nil
            cache.removeAll()
            guard offset >= log.highWatermark else {
                throw .unusable(
                    path: log.directory,
                    reason: "has committed up to offset \(log.highWatermark), and its leader's "
                        + "begins at \(offset): they are not the same log")
            }
            try log.reset(
                after: snapshot.lastIndex, term: snapshot.lastTerm, offset: offset,
                configuration: snapshot.configuration.encoded, now: now)
            followUps.append(.snapshotInstalled(snapshot))
        } catch {
            if case .diskFull = error {
                // The core takes nothing else before this is done.
                unfinished = (snapshot, offset)
                outputs.append(.diskFull(error))
            } else {
                outputs.append(.failed(error))
                followUps.insert(.storageFailed, at: 0)
            }
        }
    }

    /// Tries once more to begin the log anew, if there was no room for that.
    func installAgain(now: Timestamp, into outputs: inout [ReplicaOutput]) {
        guard let (snapshot, offset) = unfinished else { return }
        self.now = now
        install(snapshot, at: offset, into: &outputs)
        performFollowUps(into: &outputs)
    }

    /// Writes what a peer has of entries that are damaged here.
    private func repair(
        _ first: LogIndex, _ infos: [EntryInfo], carrying message: PeerMessage?,
        into outputs: inout [ReplicaOutput]
    ) {
        guard let message else { preconditionFailure("a repair without its entries") }
        var last = first.previous
        do throws(LogError) {
            for entry in message.entries.prefix(infos.count) {
                try log.rewrite(entry, at: last.next)
                last = last.next
            }
        } catch {
            // The core asks once more for what is missing.
            switch error {
            case .diskFull: outputs.append(.diskFull(error))
            case .readOnly, .unusable: break
            default:
                outputs.append(.failed(error))
                followUps.insert(.storageFailed, at: 0)
            }
        }
        if last >= first { followUps.append(.repaired(first: first, last: last)) }
    }

    // MARK: Sending

    /// Adds the content to a message.
    private func send(_ message: Message, into outputs: inout [ReplicaOutput]) {
        var peer = PeerMessage(group: group, message: message)
        switch message.body {
        case .append(let append) where !append.entries.isEmpty:
            guard
                let entries = content(of: append.entries, from: append.previousIndex.next)
            else { return }
            peer.entries = entries
        case .snapshot(let snapshot):
            // The offset is that of the log's first entry: while the core has not heard yet that this
            // is another one, the two would not belong together.
            guard log.firstIndex.previous == snapshot.lastIndex else { return }
            peer.offset = log.startOffset
        default: break
        }
        outputs.append(.send(peer))
    }

    /// The content of entries; `nil` where it cannot be had, as if the message had been lost.
    private func content(of infos: [EntryInfo], from first: LogIndex) -> [LogEntry]? {
        if let cached = cache.entries(from: first, count: infos.count) { return cached }
        do throws(LogError) {
            let read = try log.entryReader().read(
                from: first, through: first.advanced(by: infos.count - 1), bytesMax: .max)
            return read.count == infos.count ? read : nil
        } catch {
            return nil
        }
    }

    /// Sends entries that ``ReplicaOutput/read(_:_:)`` has asked for.
    public func finish(
        _ request: StoredRequest, with entries: [LogEntry], now: Timestamp,
        into outputs: inout [ReplicaOutput]
    ) {
        var infos: [EntryInfo] = []
        for entry in entries {
            do throws(PeerMessageError) {
                infos.append(try entry.info())
            } catch {
                // A configuration that the log took for one is one.
                break
            }
        }
        let body: Message.Body
        if let envelope = request.append {
            body = .append(
                Append(
                    previousIndex: request.first.previous, previousTerm: envelope.previousTerm,
                    entries: infos, commit: envelope.commit))
        } else {
            body = .repair(Repair(first: request.first, entries: infos))
        }
        if !infos.isEmpty, raft.term == request.term {
            outputs.append(
                .send(
                    PeerMessage(
                        group: group,
                        message: Message(from: id, to: request.to, term: request.term, body: body),
                        entries: Array(entries.prefix(infos.count)))))
        }
        guard request.append != nil else { return }
        step(
            .storedSent(
                to: request.to, first: request.first,
                last: LogIndex(request.first.rawValue + UInt64(infos.count) - 1),
                term: request.term), now: now, into: &outputs)
    }
}
