// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import Synchronization

/// Holds back messages that repeat too often, and counts them.
///
/// A message is known by its level, logger and constant text: values are metadata. In each window
/// the first `burst` of a message pass; the rest are counted, and the count is told with the
/// message's next line, or with the next line of any message after the window.
final class RepeatLimiter: Sendable {
    /// How often a message was held back, and the last that was.
    struct Summary: Sendable {
        var record: LogRecord
        var count: Int
    }

    /// What to do with a record.
    struct Verdict: Sendable {
        var isAdmitted: Bool
        /// To be told before the record.
        var summaries: [Summary]
    }

    private struct Key: Hashable {
        var level: Logger.Level
        var label: String
        var message: String
    }

    private struct Window {
        var end: Int64
        var admitted: Int
        var suppressed: Int
        var last: LogRecord
    }

    private struct State {
        var windows: [Key: Window] = [:]
        /// The earliest end of a window, so that most calls look at one window only.
        var nextEnd = Int64.max
    }

    private let state = Mutex(State())
    private let burst: Int
    private let windowMilliseconds: Int64
    /// Messages that are watched at a time; beyond, messages pass uncounted.
    private let messagesMax: Int

    init(burst: Int = 10, windowMilliseconds: Int64 = 10_000, messagesMax: Int = 1024) {
        self.burst = burst
        self.windowMilliseconds = windowMilliseconds
        self.messagesMax = messagesMax
    }

    /// Whether a record is to be written at a time, and what is to be told before it.
    func admit(_ record: LogRecord, at time: Int64) -> Verdict {
        let key = Key(level: record.level, label: record.label, message: record.message)
        return state.withLock { state in
            let summaries = state.nextEnd <= time ? Self.close(&state, until: time) : []
            guard var window = state.windows[key] else {
                if state.windows.count < messagesMax {
                    let end = time + windowMilliseconds
                    state.windows[key] = Window(end: end, admitted: 1, suppressed: 0, last: record)
                    state.nextEnd = min(state.nextEnd, end)
                }
                return Verdict(isAdmitted: true, summaries: summaries)
            }
            let isAdmitted = window.admitted < burst
            if isAdmitted {
                window.admitted += 1
            } else {
                window.suppressed += 1
                window.last = record
            }
            state.windows[key] = window
            return Verdict(isAdmitted: isAdmitted, summaries: summaries)
        }
    }

    /// Ends all windows.
    func drain() -> [Summary] {
        state.withLock { Self.close(&$0, until: .max) }
    }

    private static func close(_ state: inout State, until time: Int64) -> [Summary] {
        var summaries: [Summary] = []
        var nextEnd = Int64.max
        for (key, window) in state.windows {
            guard window.end <= time else {
                nextEnd = min(nextEnd, window.end)
                continue
            }
            if window.suppressed > 0 {
                summaries.append(Summary(record: window.last, count: window.suppressed))
            }
            state.windows[key] = nil
        }
        state.nextEnd = nextEnd
        return summaries.sorted { $0.record.time < $1.record.time }
    }
}
