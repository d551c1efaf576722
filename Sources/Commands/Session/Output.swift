// SPDX-License-Identifier: Apache-2.0

internal import Faults
internal import Glibc

/// Standard output: data, and nothing else.
public final class Output: Sendable {
    /// Whoever read the output has closed it: there is nothing left to do, and nothing is wrong.
    struct ReaderIsGone: Error {}

    /// Whether a person sees the bytes.
    let isTerminal: Bool
    /// Whether the bytes go into a file, so that nobody sees anything of them.
    ///
    /// A pipe's reader may print on the same terminal, where progress would be in its way.
    let isFile: Bool
    private let sink: @Sendable ([UInt8]) throws -> Void
    private let calls = BlockingCalls(label: "output")

    /// An output that hands pieces to `sink`, one after the other.
    public init(
        isTerminal: Bool, isFile: Bool = false, sink: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        self.isTerminal = isTerminal
        self.isFile = isFile
        self.sink = sink
    }

    /// An output on a descriptor.
    static func descriptor(_ number: Int32) -> Output {
        var status = stat()
        let isFile = fstat(number, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        return Output(isTerminal: isatty(number) == 1, isFile: isFile) { bytes in
            try Self.write(bytes, to: number)
        }
    }

    /// Writes bytes; returns when the system has them.
    func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        let sink = sink
        try await calls.run { try sink(bytes) }
    }

    /// Writes text.
    func write(_ text: String) async throws { try await write(Array(text.utf8)) }

    /// Writes text at once, where nothing can be waited for.
    func writeNow(_ text: String) {
        // Its only caller is a server that goes on serving whether its output is read or not.
        try? sink(Array(text.utf8))
    }

    private static func write(_ bytes: [UInt8], to number: Int32) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EPIPE {
                throw ReaderIsGone()
            } else if errno == EAGAIN {
                var poll = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
                _ = Glibc.poll(&poll, 1, -1)
            } else if errno != EINTR {
                throw Fault(
                    .outputFailed, "the output takes no bytes: \(String(cString: strerror(errno)))")
            }
        }
    }
}
