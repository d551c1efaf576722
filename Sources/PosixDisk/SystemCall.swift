// SPDX-License-Identifier: Apache-2.0

internal import CSystemCalls
internal import Disk
internal import Glibc

/// What the system says of an open file.
struct FileFacts: Sendable, Equatable {
    /// The device and the number on it: what stays the same under every name.
    struct Identity: Sendable, Equatable {
        var device: UInt64
        var number: UInt64
    }

    var identity: Identity
    var kind: FileStatus.Kind
    var size: UInt64

    init(_ facts: stat) {
        identity = Identity(device: UInt64(facts.st_dev), number: UInt64(facts.st_ino))
        size = UInt64(clamping: facts.st_size)
        kind =
            switch facts.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            default: .other
            }
    }
}

/// System calls with their loops: interrupted ones are repeated, partial ones continued, and
/// failures become errors that name the operation and the path.
enum SystemCall {
    /// The most pieces that one vectored write takes (`IOV_MAX`).
    static let piecesMax = 1024

    /// The error for a system's number.
    static func error(
        _ operation: FileError.Operation, _ path: String, code: Int32 = errno
    ) -> FileError {
        let reason: FileError.Reason =
            switch code {
            case ENOENT: .notFound
            case EEXIST, ENOTEMPTY: .exists
            case ENOSPC, EDQUOT: .noSpace
            case EACCES, EPERM, EROFS: .permission
            case EIO: .inputOutput
            case EMFILE, ENFILE: .descriptors
            default: .other
            }
        return FileError(operation, path, code: code, reason: reason)
    }

    /// Makes a call, again for as long as a signal interrupts it.
    static func retrying<Result: SignedInteger>(
        _ operation: FileError.Operation, _ path: String, _ call: () -> Result
    ) throws(FileError) -> Result {
        while true {
            let result = call()
            if result >= 0 { return result }
            let code = errno
            guard code == EINTR else { throw error(operation, path, code: code) }
        }
    }

    static func facts(
        of descriptor: Int32, _ operation: FileError.Operation, _ path: String
    ) throws(FileError) -> FileFacts {
        var facts = stat()
        _ = try retrying(operation, path) { fstat(descriptor, &facts) }
        return FileFacts(facts)
    }

    /// Reads until the buffer is full or the file ends.
    static func read(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at position: UInt64,
        _ path: String
    ) throws(FileError) -> Int {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let offset = try fileOffset(position, plus: done, .read, path)
            let count = try retrying(.read, path) {
                pread(descriptor, rest.baseAddress, rest.count, offset)
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Reads what the page cache holds; `nil` where the device would have to be asked.
    static func readCached(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at position: UInt64,
        _ path: String
    ) throws(FileError) -> Int? {
        guard !buffer.isEmpty else { return 0 }
        let offset = try fileOffset(position, plus: 0, .read, path)
        var count: Int
        repeat {
            count = cordwood_pread_cached(
                descriptor, buffer.baseAddress, buffer.count, Int64(offset))
        } while count < 0 && errno == EINTR
        if count == buffer.count { return count }
        if count < 0 {
            let code = errno
            guard code == EAGAIN || code == EOPNOTSUPP || code == ENOSYS else {
                throw error(.read, path, code: code)
            }
            return nil
        }
        // Too few bytes: either the file ends here, or the next page is not in memory.
        let size = try facts(of: descriptor, .read, path).size
        return position + UInt64(count) >= size ? count : nil
    }

    /// Writes all pieces one behind the other.
    static func write(
        _ descriptor: Int32, _ pieces: [UnsafeRawBufferPointer], at position: UInt64,
        _ path: String
    ) throws(FileError) {
        var vectors: [iovec] = []
        vectors.reserveCapacity(pieces.count)
        for piece in pieces where !piece.isEmpty {
            vectors.append(
                iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: piece.baseAddress),
                    iov_len: piece.count))
        }
        var first = 0
        var done = 0
        while first < vectors.count {
            let offset = try fileOffset(position, plus: done, .write, path)
            let window = min(vectors.count - first, piecesMax)
            let count = try vectors.withUnsafeBufferPointer { all throws(FileError) in
                try retrying(.write, path) {
                    pwritev(descriptor, all.baseAddress.map { $0 + first }, Int32(window), offset)
                }
            }
            // A device that takes nothing and names no reason would keep this loop for ever.
            guard count > 0 else { throw error(.write, path, code: EIO) }
            done += count
            advance(&vectors, &first, by: count)
        }
    }

    /// Drops what has been written from the front of the pieces.
    private static func advance(_ vectors: inout [iovec], _ first: inout Int, by count: Int) {
        var rest = count
        while rest > 0 {
            let length = vectors[first].iov_len
            guard rest < length else {
                rest -= length
                first += 1
                continue
            }
            vectors[first].iov_base = vectors[first].iov_base.map { $0 + rest }
            vectors[first].iov_len = length - rest
            rest = 0
        }
    }

    /// A position as the system counts, or an error where it cannot.
    static func fileOffset(
        _ position: UInt64, plus count: Int, _ operation: FileError.Operation, _ path: String
    ) throws(FileError) -> off_t {
        let (sum, isOver) = position.addingReportingOverflow(UInt64(count))
        guard !isOver, let offset = off_t(exactly: sum) else {
            throw error(operation, path, code: EFBIG)
        }
        return offset
    }

    static func syncFileSystem(_ descriptor: Int32, _ path: String) throws(FileError) {
        _ = try retrying(.syncAll, path) { cordwood_syncfs(descriptor) }
    }

    /// Closes a descriptor whose writes are synced or given up: what close could still report
    /// changes nothing that anybody was promised.
    static func close(_ descriptor: Int32) {
        _ = Glibc.close(descriptor)
    }
}
