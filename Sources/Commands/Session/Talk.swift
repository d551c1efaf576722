// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Standard error: what is said to people.
public final class Talk: Sendable {
    /// Whether a person sees it, so that progress can be shown.
    let isTerminal: Bool
    /// Whether colours may be used.
    let isColoured: Bool
    private let width: @Sendable () -> Int
    private let sink: @Sendable (String) -> Void
    private let progress = Mutex(ProgressState())

    private struct ProgressState {
        var isShown = false
        var drawn: ContinuousClock.Instant?
    }

    /// How often progress is drawn at most.
    private static let progressInterval = Duration.milliseconds(100)

    /// A talk that hands text to `sink`.
    public init(
        isTerminal: Bool, isColoured: Bool, width: @escaping @Sendable () -> Int = { 80 },
        sink: @escaping @Sendable (String) -> Void
    ) {
        self.isTerminal = isTerminal
        self.isColoured = isColoured
        self.width = width
        self.sink = sink
    }

    /// What helps to mark words.
    var style: Style { Style(isColoured: isColoured) }

    /// Says a line.
    func say(_ line: String) { write(line + "\n") }

    /// Says text as it is.
    func write(_ text: String) {
        endProgress()
        sink(text)
    }

    /// Says a line where a person reads it, and nothing elsewhere.
    func remark(_ line: String) {
        if isTerminal { say(line) }
    }

    /// Draws how far long work is, at most ten times a second, and only on a terminal.
    func show(_ line: @autoclosure () -> ProgressLine) {
        guard isTerminal else { return }
        let isDue = progress.withLock { state in
            let now = ContinuousClock.now
            if let drawn = state.drawn, now - drawn < Self.progressInterval { return false }
            state.drawn = now
            state.isShown = true
            return true
        }
        // The line's end is cleared, as a shorter line would leave some of the longer one.
        if isDue { sink("\r\(line().text(width: width() - 1))\u{1b}[K") }
    }

    /// Wipes what was drawn.
    func endProgress() {
        let wasShown = progress.withLock { state in
            defer { state.isShown = false }
            return state.isShown
        }
        if wasShown { sink("\r\u{1b}[K") }
    }

    /// The talk of a process.
    static func standardError(environment: [String: String]) -> Talk {
        let isTerminal = isatty(STDERR_FILENO) == 1 && environment["TERM"] != "dumb"
        let isColoured = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty
        return Talk(isTerminal: isTerminal, isColoured: isColoured, width: terminalWidth) { text in
            // Nothing can be told to a user whose standard error is gone.
            _ = Array(text.utf8).withUnsafeBytes {
                Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count)
            }
        }
    }

    private static func terminalWidth() -> Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else {
            return 80
        }
        return Int(size.ws_col)
    }
}

/// Marks words for a terminal.
struct Style {
    var isColoured: Bool

    func red(_ text: String) -> String { wrap(text, "31;1") }
    func green(_ text: String) -> String { wrap(text, "32") }
    func bold(_ text: String) -> String { wrap(text, "1") }
    func dim(_ text: String) -> String { wrap(text, "2") }

    private func wrap(_ text: String, _ code: String) -> String {
        isColoured ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
