// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
internal import Synchronization

/// What a test does to the disk behind the back of those who use it.
extension SimulatedFileSystem {
    /// The code of the error that every call gives once the machine has stopped, and every call on
    /// a file that was opened before a crash.
    public static let crashedCode: Int32 = ErrorNumber.cancelled

    /// Which calls fail from now on.
    public var faults: FaultPlan {
        get { state.withLock { $0.plan } }
        set { state.withLock { $0.plan = newValue } }
    }

    /// The bytes of content in files that are named or open.
    public var usedSpace: UInt64 { state.withLock { $0.used } }

    // MARK: Crashes

    /// Cuts the power and turns it on again.
    ///
    /// What was synced is there. Each unsynced write survives, is lost, or is torn at a border of
    /// 512 bytes; a file's length may have grown without its data; each creation, removal and
    /// rename since the directory's last sync happened or did not. Files opened before are dead.
    public func crash() {
        state.withLock { $0.cutPower() }
    }

    /// Ends the process that used the disk: all that it wrote is there, synced or not.
    public func crashKeepingCache() {
        state.withLock { $0.killProcess() }
    }

    /// Stops the machine in the midst of the n-th changing call from now, counted from 1: it and
    /// all later calls fail, until a crash clears it.
    ///
    /// `nil` takes it back.
    public func crashAfter(calls: Int?) {
        state.withLock { $0.callsUntilStop = calls }
    }

    /// Whether a stop that was asked for has come.
    public var isStopped: Bool { state.withLock { $0.isStopped } }

    /// How many calls have tried to change the disk.
    public var mutatingCalls: Int { state.withLock { $0.mutatingCalls } }

    // MARK: Effects

    /// A number for all that has happened: the same for the same seed and calls.
    public var effectsDigest: UInt64 { state.withLock { $0.effects.digest } }

    /// Keeps the last changing calls as text; 0 keeps none.
    public func traceLast(_ count: Int) {
        state.withLock { $0.effects.linesMax = count }
    }

    /// The last changing calls, oldest first.
    public var trace: [String] {
        state.withLock { Array($0.effects.lines.suffix($0.effects.linesMax)) }
    }

    // MARK: Rot and forgery

    /// A file's bytes as a reader sees them; `nil` if there is none.
    public func contents(_ path: String) -> [UInt8]? {
        state.withLock { state in
            guard let inode = state.find(path), !inode.isDirectory else { return nil }
            return inode.content
        }
    }

    /// Changes a file's bytes behind everybody's back, on the device too, its unsynced writes
    /// having reached it.
    ///
    /// False if there is no such file.
    @discardableResult
    public func mutate(_ path: String, _ change: (inout [UInt8]) -> Void) -> Bool {
        state.withLock { state in
            guard let inode = state.find(path), !inode.isDirectory else { return false }
            var bytes = inode.content
            change(&bytes)
            state.used += UInt64(bytes.count)
            state.used -= UInt64(inode.content.count)
            inode.settle(bytes)
            return true
        }
    }

    /// Turns one bit of a file around.
    ///
    /// False if there is no such byte.
    @discardableResult
    public func flipBit(_ path: String, at position: Int, bit: Int = 0) -> Bool {
        precondition((0..<8).contains(bit), "bit \(bit) of a byte")
        var isDone = false
        mutate(path) { bytes in
            guard bytes.indices.contains(position) else { return }
            bytes[position] ^= 1 << UInt8(bit)
            isDone = true
        }
        return isDone
    }

    /// Cuts a file, or fills it with zeros, to a length.
    ///
    /// False if there is no such file.
    @discardableResult
    public func truncate(_ path: String, to size: Int) -> Bool {
        mutate(path) { Inode.resize(&$0, to: size) }
    }

    /// Another disk with the same names and bytes, all of them durable.
    public func copy(seed: UInt64) -> SimulatedFileSystem {
        let copy = SimulatedFileSystem(
            seed: seed, modelsPowerCuts: state.withLock { $0.modelsPowerCuts })
        copyTree("/", to: copy)
        return copy
    }

    private func copyTree(_ path: String, to other: SimulatedFileSystem) {
        let names: [String] = state.withLock { $0.find(path)?.names.keys.sorted() ?? [] }
        for name in names {
            let child = path == "/" ? "/" + name : path + "/" + name
            let bytes = contents(child)
            other.state.withLock { $0.adopt(child, bytes) }
            if bytes == nil { copyTree(child, to: other) }
        }
    }
}

extension DiskState {
    /// Puts a directory, or a file with some bytes, at a path as if it had always been there.
    mutating func adopt(_ path: String, _ bytes: [UInt8]?) {
        // The caller walks from the root down, so the directory above is always there.
        guard let (directory, name) = try? parent(.open, path) else { return }
        let inode = makeInode(isDirectory: bytes == nil)
        inode.links = 1
        directory.names[name] = inode.id
        directory.durableNames[name] = inode.id
        if let bytes {
            inode.settle(bytes)
            used += UInt64(bytes.count)
        }
    }
}
