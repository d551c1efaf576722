// SPDX-License-Identifier: Apache-2.0

internal import LogAPI
internal import Synchronization

/// The positions of a consumer and when they last moved, shared by its connections, of which there
/// is one at a time.
final class ReadProgress: Sendable {
    private struct State {
        var positions: ReadPositions
        var lastChange: ContinuousClock.Instant
    }

    private let state: Mutex<State>

    init(_ positions: ReadPositions) {
        state = Mutex(State(positions: positions, lastChange: .now))
    }

    /// How far reading has come.
    var positions: ReadPositions { state.withLock { $0.positions } }

    /// When the server last did something for us.
    var lastChange: ContinuousClock.Instant { state.withLock { $0.lastChange } }

    /// The server did something for us.
    func touch() { state.withLock { $0.lastChange = .now } }

    /// Takes the records wanted out of a message, and moves behind them.
    func receive(
        _ message: Cordwood_V1_ConsumeResponse, topic: String
    ) throws(CordwoodError) -> [ConsumedBatch] {
        try state.withLock { state in
            Result { () throws(CordwoodError) in
                try state.positions.receive(message, topic: topic)
            }
        }.get()
    }
}
