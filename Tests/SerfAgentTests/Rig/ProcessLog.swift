// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The lines that a process writes; the newest ones when there are very many.
final class ProcessLog: Sendable {
    private struct State {
        var lines: [String] = []
        var dropped = 0
        var partial: [UInt8] = []
    }

    private static let linesMax = 50_000

    private let state = Mutex(State())

    var lines: [String] { state.withLock { $0.lines } }

    var text: String { lines.joined(separator: "\n") }

    /// Where the log ends now, to look only at what comes later.
    var position: Int { state.withLock { $0.dropped + $0.lines.count } }

    func lines(from start: Int) -> [String] {
        state.withLock { state in
            Array(state.lines.dropFirst(max(0, start - state.dropped)))
        }
    }

    func tail(_ count: Int) -> String {
        lines.suffix(count).joined(separator: "\n")
    }

    func received(_ data: ArraySlice<UInt8>) {
        state.withLock { state in
            state.partial += data
            var pieces = state.partial.split(separator: 0x0a, omittingEmptySubsequences: false)
            state.partial = pieces.popLast().map(Array.init) ?? []
            state.lines += pieces.map { String(decoding: $0, as: UTF8.self) }
            if state.lines.count > Self.linesMax {
                let surplus = state.lines.count - Self.linesMax / 2
                state.lines.removeFirst(surplus)
                state.dropped += surplus
            }
        }
    }

    /// Nothing more comes; the last line may have no end.
    func end() {
        state.withLock { state in
            guard !state.partial.isEmpty else { return }
            state.lines.append(String(decoding: state.partial, as: UTF8.self))
            state.partial = []
        }
    }
}
