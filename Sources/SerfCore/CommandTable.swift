// SPDX-License-Identifier: Apache-2.0

internal import SwimCore

/// Commands that wait for their end; queries wait in the layer.
struct CommandTable: Sendable {
    /// A join: some addresses have not answered yet.
    struct Join: Sendable {
        let command: CommandID
        let replaysEvents: Bool
        var streams: [StreamID]
        var count = 0
        var failures: [JoinFailure] = []
    }

    /// Something that the others are being told.
    struct Telling: Sendable {
        let command: CommandID
        let news: News
        /// When it is given up.
        let deadline: Moment
    }

    /// By what is recognized that the others were told.
    enum News: Sendable, Equatable {
        /// An intent, by its number in the queue of intents.
        case intent(BroadcastID)
        /// A broadcast of the memberlist.
        case swim(BroadcastID)
    }

    var joins: [Join] = []
    var tellings: [Telling] = []

    /// How many commands wait.
    var count: Int { joins.count + tellings.count }

    /// When the first one is given up.
    var nextDeadline: Moment? { tellings.lazy.map(\.deadline).min() }

    /// Whether a stream belongs to a join that wants no old events.
    func ignoresOldEvents(on stream: StreamID) -> Bool {
        joins.contains { !$0.replaysEvents && $0.streams.contains(stream) }
    }
}
