// SPDX-License-Identifier: Apache-2.0

internal import CordwoodClient

/// Groups, their members and their offsets as rows of listings.
enum GroupRows {
    /// A group.
    static func fields(of group: ConsumerGroup) -> [Listing.Field] {
        [
            .text("group", group.name), .text("state", group.state.rawValue),
            .count("members", group.memberCount),
            .text("protocol_type", group.protocolType.isEmpty ? nil : group.protocolType),
            .text("coordinator", group.coordinator.nodeID),
            .hidden("coordinator_address", .string(group.coordinator.address)),
        ]
    }

    /// A member.
    static func fields(of member: GroupMember) -> [Listing.Field] {
        var topics: [(name: String, numbers: [String])] = []
        for place in member.assignment {
            if topics.last?.name != place.topic { topics.append((place.topic, [])) }
            topics[topics.count - 1].numbers.append("\(place.partition)")
        }
        let assignment = member.assignment.map { place in
            JSON.object([
                .init("topic", .string(place.topic)), .init("partition", .number(place.partition)),
            ])
        }
        return [
            .text("member", member.id), .text("instance", member.instanceID),
            .text("client", member.clientID), .text("host", member.clientHost),
            Listing.Field(
                name: "assignment", json: .array(assignment),
                text: topics.isEmpty
                    ? "-"
                    : topics.map { "\($0.name):\($0.numbers.joined(separator: ","))" }
                        .joined(separator: " "),
                isNumber: false),
        ]
    }

    /// How far a group is in a partition.
    static func fields(of offset: GroupOffset) -> [Listing.Field] {
        [
            .text("topic", offset.topic), .count("partition", offset.partition),
            number("committed", offset.committedOffset?.rawValue),
            .hidden("start", number(offset.logStartOffset?.rawValue)),
            number("end", offset.highWatermark?.rawValue),
            number("lag_records", offset.lag.map(Int64.init)),
            seconds("lag_seconds", offset.lagTime), .text("member", offset.memberID),
            .hidden("metadata", .string(offset.metadata)),
            .hidden("commit_time", .text(offset.commitTime.map { TimeText.text($0) })),
        ]
    }

    /// An offset that was reset.
    static func fields(of reset: OffsetReset) -> [Listing.Field] {
        [
            .text("topic", reset.topic), .count("partition", reset.partition),
            number("before", reset.before?.rawValue), number("after", reset.after.rawValue),
        ]
    }

    /// A number that may not be known.
    static func number(_ name: String, _ value: Int64?) -> Listing.Field {
        Listing.Field(
            name: name, json: number(value), text: value.map { "\($0)" } ?? "-", isNumber: true)
    }

    /// A time in seconds that may not be known: tenths where they matter.
    static func seconds(_ name: String, _ value: Duration?) -> Listing.Field {
        let text = value.map { value in
            let tenths = Int64((value.seconds * 10).rounded())
            return tenths < 1000 ? "\(tenths / 10).\(tenths % 10)" : "\((tenths + 5) / 10)"
        }
        return Listing.Field(
            name: name, json: value.map { .decimal($0.seconds) } ?? .null, text: text ?? "-",
            isNumber: true)
    }

    private static func number(_ value: Int64?) -> JSON { value.map(JSON.number) ?? .null }
}

/// How far a group is behind in all of its partitions.
struct GroupLag: Equatable {
    let group: String
    let state: String
    let partitionCount: Int
    /// The records that are there to be consumed.
    private(set) var records = 0
    /// How old the oldest of them is; `nil` where it cannot be told of any.
    private(set) var time: Duration?
    /// Partitions whose records cannot be counted: nothing was committed, or they are gone.
    private(set) var unknownCount = 0

    init(_ description: GroupDescription) {
        group = description.group.name
        state = description.group.state.rawValue
        partitionCount = description.offsets.count
        for offset in description.offsets {
            if let lag = offset.lag {
                records += lag
            } else {
                unknownCount += 1
            }
            if let lagTime = offset.lagTime { time = max(time ?? .zero, lagTime) }
        }
        if description.offsets.isEmpty { time = .zero }
    }

    /// The lag as a row.
    var fields: [Listing.Field] {
        [
            .text("group", group), .text("state", state), .count("partitions", partitionCount),
            .count("lag_records", records), GroupRows.seconds("lag_seconds", time),
            // A column only where there are some.
            Listing.Field(
                name: "unknown_partitions", json: .number(unknownCount),
                text: unknownCount == 0 ? nil : "\(unknownCount)", isNumber: true),
        ]
    }

    /// The lag in words.
    var text: String {
        var text = "total: \(HumanText.noun(records, "record"))"
        // Whoever has consumed everything is not behind, however fast time goes by.
        if let time, records > 0 { text += ", the oldest \(HumanText.duration(time)) old" }
        if unknownCount > 0 {
            text += "; not known of \(HumanText.noun(unknownCount, "partition"))"
        }
        return text
    }
}
