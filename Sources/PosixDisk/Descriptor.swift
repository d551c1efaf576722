// SPDX-License-Identifier: Apache-2.0

internal import Disk
internal import Glibc
internal import Synchronization

/// An open file's descriptor, which comes and goes under the budget.
///
/// It may be closed whenever nobody uses it, unless it was written to since the last sync (a new
/// descriptor could miss that a write failed on its way to the device) or its file has lost its
/// name. Its state belongs to its mutex; the place in the budget's tables changes only under the
/// budget's lock, which is taken first.
final class Descriptor: Sendable {
    /// Where the budget keeps it.
    enum Place: Sendable, Equatable {
        case nowhere
        /// In the ring of those that may be closed, in this slot.
        case ring(Int)
        case pinned
    }

    struct State: Sendable {
        /// The system's number; -1 while closed.
        var number: Int32 = -1
        var uses = 0
        /// Used since the budget last looked.
        var isReferenced = false
        /// The file has lost its name, or is about to.
        var isPinned: Bool
        /// Counts at the begin and at the end of each write, so that a sync knows what it covers.
        var writes: UInt64 = 0
        var writesSynced: UInt64 = 0
        /// The failed sync, after which no sync of this file is believed.
        var failure: FileError?
        var identity: FileFacts.Identity?
        /// The name under which it can be opened again; follows renames.
        var location: String
        var place = Place.nowhere

        var isDirty: Bool { writes != writesSynced || failure != nil }
        var isIdle: Bool { uses == 0 && !isDirty && !isPinned && number >= 0 }
    }

    /// The path that the file was first opened with, for messages.
    let path: String
    let mode: OpenMode
    let state: Mutex<State>

    init(_ path: String, _ mode: OpenMode, isPinned: Bool) {
        self.path = path
        self.mode = mode
        state = Mutex(State(isPinned: isPinned, location: path))
    }

    /// Takes the descriptor for a call, if it is open.
    func enter() -> Int32? {
        state.withLock { state in
            guard state.number >= 0 else { return nil }
            state.uses += 1
            state.isReferenced = true
            return state.number
        }
    }

    func leave() {
        state.withLock { $0.uses -= 1 }
    }

    /// Opens the file under its present name.
    ///
    /// The caller holds off renames.
    func openNow() throws(FileError) -> (number: Int32, identity: FileFacts.Identity) {
        let (location, known) = state.withLock { ($0.location, $0.identity) }
        // Without O_NONBLOCK, opening a pipe somebody put in a file's place would wait for ever.
        var flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
        switch mode {
        case .read: flags |= O_RDONLY
        case .readWrite: flags |= O_RDWR
        case .create: flags |= known == nil ? O_RDWR | O_CREAT | O_EXCL : O_RDWR
        }
        let number = try SystemCall.retrying(.open, path) { Glibc.open(location, flags, 0o640) }
        do throws(FileError) {
            let facts = try SystemCall.facts(of: number, .open, path)
            guard facts.kind == .file else {
                let code = facts.kind == .directory ? EISDIR : EINVAL
                throw SystemCall.error(.open, path, code: code)
            }
            // Another file under the old name would give its bytes for this one's.
            guard known == nil || known == facts.identity else {
                throw SystemCall.error(.open, path, code: ESTALE)
            }
            return (number, facts.identity)
        } catch {
            SystemCall.close(number)
            throw error
        }
    }

    /// Makes a freshly opened number this descriptor's and takes it for a call; if another thread
    /// was faster, its number stays and the spare one is returned.
    func install(_ number: Int32, _ identity: FileFacts.Identity) -> (number: Int32, spare: Int32?)
    {
        state.withLock { state in
            state.uses += 1
            state.isReferenced = true
            guard state.number < 0 else { return (state.number, number) }
            state.number = number
            state.identity = identity
            return (number, nil)
        }
    }

    /// Counts the begin or end of a write; whether the file was clean until now.
    func countWrite() -> Bool {
        state.withLock { state in
            let wasClean = !state.isDirty
            state.writes += 1
            return wasClean
        }
    }

    /// What a sync that begins now will cover, or the failure that forbids one.
    func beginSync() throws(FileError) -> UInt64 {
        let (writes, failure) = state.withLock { ($0.writes, $0.failure) }
        if let failure { throw failure }
        return writes
    }

    func completeSync(_ writes: UInt64) {
        state.withLock { $0.writesSynced = max($0.writesSynced, writes) }
    }

    func failSync(_ error: FileError) {
        state.withLock { $0.failure = $0.failure ?? error }
    }
}
