// SPDX-License-Identifier: Apache-2.0

internal import CordwoodClient
internal import Membership
internal import SerfCore
internal import SerfWire

/// What happens in a cluster, as lines.
enum GossipEventText {
    /// The lines of an event: one for each member that it is about, or one.
    static func lines(
        of event: SerfNodeEvent, at time: Timestamp, as format: OutputFormat
    ) -> String {
        let time = TimeText.text(time)
        return rows(of: event).map { row in
            format == .table ? row.line(at: time) : row.json(at: time).text + "\n"
        }.joined()
    }

    /// One line, before it is written.
    private struct Row {
        var kind: String
        var words: [String]
        var members: [JSON.Member]

        func line(at time: String) -> String {
            let words = [time, kind.rightPadded(to: 8)] + words.filter { !$0.isEmpty }
            return Listing.printable(words.joined(separator: "  ")) + "\n"
        }

        func json(at time: String) -> JSON {
            .object(
                [.init("time", .string(time)), .init("event", .string(kind))] + members)
        }
    }

    private static func rows(of event: SerfNodeEvent) -> [Row] {
        switch event {
        case .missed(let count):
            [Row(kind: "missed", words: ["\(count)"], members: [.init("count", .number(count))])]
        case .event(.joined(let members)): members.map { row("joined", $0) }
        case .event(.left(let members)): members.map { row("left", $0) }
        case .event(.failed(let members)): members.map { row("failed", $0) }
        case .event(.updated(let members)): members.map { row("updated", $0) }
        case .event(.reaped(let members)): members.map { row("reaped", $0) }
        case .event(.user(let event)):
            [
                Row(
                    kind: "event", words: [event.name, text(event.payload)],
                    members: [
                        .init("name", .string(event.name)),
                        RecordJSON.content("payload", event.payload),
                        .init("coalesce", .bool(event.mayCoalesce)),
                        .init("ltime", .number(Int64(clamping: event.time.rawValue))),
                    ])
            ]
        case .event(.query(let query)):
            [
                Row(
                    kind: "query", words: [query.name, "from \(query.from)", text(query.payload)],
                    members: [
                        .init("name", .string(query.name)), .init("from", .string(query.from)),
                        RecordJSON.content("payload", query.payload),
                        .init("ltime", .number(Int64(clamping: query.time.rawValue))),
                    ])
            ]
        }
    }

    private static func row(_ kind: String, _ member: Member) -> Row {
        let tags = member.tags.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return Row(
            kind: kind,
            words: [member.name, "\(member.endpoint)", tags.joined(separator: " ")],
            members: [
                .init("member", .string(member.name)),
                .init("address", .string("\(member.endpoint)")),
                .init("status", .string("\(member.status)")),
                .init("tags", MemberRows.tags(member.tags)),
            ])
    }

    private static func text(_ payload: [UInt8]) -> String {
        String(decoding: payload, as: UTF8.self)
    }
}
