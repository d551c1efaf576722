// SPDX-License-Identifier: Apache-2.0

internal import Faults
internal import Glibc

/// Bytes to read: standard input, or a file that the user names.
public final class Input: Sendable {
    /// What messages call it.
    let name: String
    /// Whether a person types the bytes.
    let isTerminal: Bool
    /// The number of bytes, where it is known beforehand.
    let byteCount: Int?
    private let source: @Sendable (Int) throws -> [UInt8]
    private let calls = BlockingCalls(label: "input")

    /// An input that asks `source` for up to so many bytes at a time; none mean the end.
    public init(
        name: String, isTerminal: Bool = false, byteCount: Int? = nil,
        source: @escaping @Sendable (Int) throws -> [UInt8]
    ) {
        self.name = name
        self.isTerminal = isTerminal
        self.byteCount = byteCount
        self.source = source
    }

    /// The next bytes, up to so many; none at the end.
    func read(upTo count: Int) async throws -> [UInt8] {
        let source = source
        return try await calls.run { try source(count) }
    }

    /// Everything up to the end.
    ///
    /// - Throws: ``Faults/ErrorCode/inputUnreadable`` if there are more bytes than `limit`.
    func readAll(limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let piece = try await read(upTo: 1 << 20)
            if piece.isEmpty { return bytes }
            if bytes.isEmpty { bytes = piece } else { bytes += piece }
            guard bytes.count <= limit else {
                throw Fault(.inputUnreadable, "\(name) has more than \(limit) bytes")
            }
        }
    }

    /// An input on a descriptor, which stays open.
    static func descriptor(_ number: Int32, name: String) -> Input {
        var status = stat()
        let isFile = fstat(number, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        return Input(
            name: name, isTerminal: isatty(number) == 1,
            byteCount: isFile ? Int(status.st_size) : nil
        ) { count in
            try Self.read(number, upTo: count, name: name)
        }
    }

    /// An input on a file of the user's.
    static func file(_ path: String) throws -> Input {
        let number = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else {
            throw Fault(
                .inputUnreadable, "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        if fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            Glibc.close(number)
            throw Fault(.inputUnreadable, "\(path) is a directory")
        }
        posix_fadvise(number, 0, 0, POSIX_FADV_SEQUENTIAL)
        return descriptor(number, name: path)
    }

    private static func read(_ number: Int32, upTo count: Int, name: String) throws -> [UInt8] {
        while true {
            var code: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                let result = Glibc.read(number, buffer.baseAddress, count)
                code = result < 0 ? errno : 0
                filled = max(0, result)
            }
            if code == 0 { return bytes }
            if code == EAGAIN {
                var poll = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
                _ = Glibc.poll(&poll, 1, -1)
            } else if code != EINTR {
                throw Fault(
                    .inputUnreadable, "\(name) cannot be read: \(String(cString: strerror(code)))")
            }
        }
    }
}
