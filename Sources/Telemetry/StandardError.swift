// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The process's standard error.
enum StandardError {
    /// Whether a person reads it.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Writes a line in one call, so that lines do not mix.
    ///
    /// A pipe may take a long line in parts; the rest then follows. What cannot be written is lost:
    /// there is nowhere to complain, and a full disk or closed pipe must not stop the server.
    @Sendable static func write(_ line: String) {
        var line = line
        line.withUTF8 { bytes in
            var written = 0
            while written < bytes.count {
                let result = Glibc.write(
                    STDERR_FILENO, bytes.baseAddress?.advanced(by: written), bytes.count - written)
                if result > 0 {
                    written += result
                } else if result == 0 || errno != EINTR {
                    return
                }
            }
        }
    }
}
