// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import ClusterCore
internal import GRPCCore
internal import LogAPI
internal import SwiftProtobuf

/// One WatchMembers: sends the members, then what changes.
struct MemberWatch: Sendable {
    let localName: String
    /// The members when the call began.
    let directory: ServerDirectory

    /// Sends until the task is cancelled.
    func send(
        _ updates: AsyncStream<ServerRegistry.Update>,
        to writer: RPCWriter<Cordwood_V1_WatchMembersResponse>
    ) async throws {
        var known = directory
        for member in known.members { try await send("present", member, to: writer) }
        var last: UInt64?
        for await update in updates {
            let isNext = last.map { $0 + 1 == update.sequence } ?? true
            last = update.sequence
            // Where steps were dropped, what they came to is told in their place.
            let events = isNext ? [update.event] : known.replace(with: update.directory.members)
            known = update.directory
            for event in events { try await send(event.word, event.member, to: writer) }
        }
        // The stream of a cancelled task ends like one that is over.
        try Task.checkCancellation()
    }

    private func send(
        _ change: String, _ member: ClusterMember,
        to writer: RPCWriter<Cordwood_V1_WatchMembersResponse>
    ) async throws {
        try await writer.write(
            .with {
                $0.change = change
                $0.member = Cordwood_V1_Member(member, localName: localName)
            })
    }
}
