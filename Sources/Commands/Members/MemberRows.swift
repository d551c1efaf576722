// SPDX-License-Identifier: Apache-2.0

internal import CordwoodClient

/// Members, and what they say, as rows of listings.
enum MemberRows {
    /// A member.
    static func fields(of member: ClusterMember, now: Timestamp) -> [Listing.Field] {
        let age = Duration.milliseconds(max(0, now.rawValue - member.since.rawValue))
        return [
            .text("member", member.name), .text("status", member.status.rawValue),
            Listing.Field(
                name: "since", json: .string(TimeText.text(member.since)),
                text: HumanText.duration(age), isNumber: true),
            .text("gossip", member.address), .text("grpc", member.grpcAddress),
            .text("kafka", member.kafkaAddress), .hidden("admin", .text(member.adminAddress)),
            .text("cluster", member.cluster), .text("version", member.version),
            .hidden("store_id", .text(member.storeID)),
            .hidden("is_server", .bool(member.isServer)),
            .hidden("is_local", .bool(member.isLocal)), .hidden("tags", tags(member.tags)),
        ]
    }

    /// A change, as a line.
    static func line(
        of change: ClusterMemberChange, at time: Timestamp, as format: OutputFormat
    ) -> String {
        guard format == .table else {
            let members = fields(of: change.member, now: time).map { JSON.Member($0.name, $0.json) }
            let object = JSON.object(
                [
                    .init("time", .string(TimeText.text(time))),
                    .init("change", .string(change.change)),
                ] + members)
            return object.text + "\n"
        }
        let words = [
            TimeText.text(time), change.change.rightPadded(to: 8), change.member.name,
            change.member.address, change.member.grpcAddress.map { "grpc \($0)" } ?? "",
        ]
        return Listing.printable(words.filter { !$0.isEmpty }.joined(separator: "  ")) + "\n"
    }

    /// Tags as an object, by name.
    static func tags(_ tags: [String: String]) -> JSON {
        .object(tags.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) })
    }

    /// What a member said to a query.
    ///
    /// - Parameter answer: `nil` where it did not answer.
    static func fields(
        of member: String, acknowledged: Bool, answer: [UInt8]?
    ) -> [Listing.Field] {
        let content = RecordJSON.content("answer", answer)
        return [
            .text("member", member), .flag("acknowledged", acknowledged),
            Listing.Field(
                name: content.name, json: content.value,
                text: answer.map { String(decoding: $0, as: UTF8.self) } ?? "-", isNumber: false),
        ]
    }

    /// Whether a member could be reached.
    ///
    /// - Parameter time: After which it acknowledged; `nil` where it did not.
    static func fields(of member: String, reachedAfter time: Duration?) -> [Listing.Field] {
        [
            .text("member", member), .flag("reachable", time != nil),
            Listing.Field(
                name: "after_ms", json: time.map { .decimal($0.seconds * 1000) } ?? .null,
                text: time.map(HumanText.milliseconds) ?? "-", isNumber: true),
        ]
    }

    /// A key.
    static func fields(of key: KeyOutcome.Key, askedCount: Int) -> [Listing.Field] {
        [
            .text("fingerprint", key.fingerprint),
            Listing.Field(
                name: "members", json: .number(key.memberCount),
                text: "\(key.memberCount)/\(askedCount)", isNumber: true),
            Listing.Field(
                name: "primary_at", json: .number(key.primaryCount),
                text: "\(key.primaryCount)/\(askedCount)", isNumber: true),
        ]
    }
}

extension HumanText {
    /// A time in milliseconds, such as `0.42 ms`.
    static func milliseconds(_ time: Duration) -> String {
        let hundredths = Int64((time.seconds * 100_000).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) ms"
    }

    /// A noun in the number that goes with a count, where an s does not make the plural.
    static func noun(_ count: Int, _ noun: String, _ plural: String) -> String {
        "\(count) \(count == 1 ? noun : plural)"
    }
}
