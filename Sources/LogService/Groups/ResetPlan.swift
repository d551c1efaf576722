// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import LogAPI
internal import Records

/// Where a group is to go on, checked.
enum OffsetTarget: Sendable, Equatable {
    /// At a place that each partition knows by itself.
    case query(OffsetQuery)
    /// So many records from where the group is.
    case shift(Int64)

    /// Checks the target of a request.
    init(_ message: Cordwood_V1_ResetOffsetsRequest.OneOf_To?, now: Timestamp) throws(Fault) {
        switch message {
        case .earliest: self = .query(.earliest)
        case .latest: self = .query(.latest)
        case .offset(let offset):
            guard offset >= 0 else {
                throw Fault(.invalidArgument, "offset \(offset) is negative")
            }
            self = .query(.offset(Offset(offset)))
        case .timestampMs(let milliseconds):
            self = .query(.timestamp(Timestamp(milliseconds: milliseconds)))
        case .agoMs(let milliseconds):
            guard milliseconds >= 0 else {
                throw Fault(.invalidArgument, "\(milliseconds) ms ago is in the future")
            }
            let (then, overflow) = now.rawValue.subtractingReportingOverflow(milliseconds)
            self = .query(.timestamp(Timestamp(milliseconds: overflow ? 0 : max(0, then))))
        case .last(let count):
            guard count >= 0 else {
                throw Fault(.invalidArgument, "a position \(count) records before the end is none")
            }
            self = .query(.last(count))
        case .shift(let count): self = .shift(count)
        case nil:
            throw Fault(.invalidArgument, "the request does not say where the group is to go on")
        }
    }
}

/// What a request to reset offsets asks of the coordinator.
struct ResetPlan: Sendable {
    /// One call of the coordinator.
    struct Step: Sendable, Equatable {
        var topic: String
        /// All when `nil`.
        var partitions: [Int]?
        var query: OffsetQuery
    }

    let steps: [Step]

    /// Checks the partitions of a request, and asks how far the group is where that matters.
    init(
        _ request: Cordwood_V1_ResetOffsetsRequest, _ target: OffsetTarget,
        _ surroundings: Surroundings
    ) async throws(Fault) {
        let named = try Self.partitions(of: request.topics, surroundings)
        if case .query(let query) = target, !named.isEmpty {
            steps = named.map {
                Step(topic: $0.topic, partitions: $0.partitions, query: query)
            }
            return
        }
        let committed = try await surroundings.broker.groups.describeGroup(request.group).offsets
        let wanted = try Self.choose(named, from: committed, of: request.group)
        switch target {
        case .query(let query):
            steps = Self.byTopic(wanted).map {
                Step(topic: $0.topic, partitions: $0.partitions, query: query)
            }
        case .shift(let count):
            steps = wanted.map { offset in
                Step(
                    topic: offset.topic, partitions: [offset.partition],
                    query: .offset(offset.committedOffset.shifted(by: count)))
            }
        }
    }

    /// Partitions of a topic; all of them when `nil`.
    typealias Named = (topic: String, partitions: [Int]?)

    /// The partitions that a request names, each once and all of them there.
    static func partitions(
        of topics: [Cordwood_V1_TopicPartitions], _ surroundings: Surroundings
    ) throws(Fault) -> [Named] {
        let limit = surroundings.settings.positionsMax
        let count = topics.reduce(0) { $0 + max(1, $1.partitions.count) }
        guard count <= limit else {
            throw Fault(
                .invalidArgument, "the request names \(count) partitions, the limit is \(limit)")
        }
        var seen: Set<String> = []
        var named: [Named] = []
        for message in topics {
            try RequestChecks.topicName(message.topic)
            guard seen.insert(message.topic).inserted else {
                throw Fault(.invalidArgument, "the request names \(message.topic) twice")
            }
            let numbers = message.partitions.map(Int.init)
            guard Set(numbers).count == numbers.count else {
                throw Fault(
                    .invalidArgument, "the request names a partition of \(message.topic) twice")
            }
            _ = try surroundings.broker.topic(message.topic)
            for number in numbers {
                _ = try surroundings.broker.partition(message.topic, number)
            }
            named.append((message.topic, numbers.isEmpty ? nil : numbers))
        }
        return named
    }

    /// The committed offsets that were named; all where nothing was.
    private static func choose(
        _ named: [Named], from committed: [GroupOffsetDescription], of group: String
    ) throws(Fault) -> [GroupOffsetDescription] {
        // Offsets of what is gone are left alone: there is nothing to go on with.
        if named.isEmpty { return committed.filter { $0.highWatermark != nil } }
        var chosen: [GroupOffsetDescription] = []
        for (topic, partitions) in named {
            let found = committed.filter {
                $0.topic == topic && partitions?.contains($0.partition) != false
            }
            let missing = (partitions ?? []).first { number in
                !found.contains { $0.partition == number }
            }
            guard !found.isEmpty, missing == nil else {
                let name = missing.map { "partition \($0) of \(topic)" } ?? topic
                throw Fault(
                    .invalidArgument,
                    "\(group) has committed no offset of \(name), so there is nothing to shift",
                    hint: "Name a place to go on at, such as the start or the end.")
            }
            chosen += found
        }
        return chosen
    }

    private static func byTopic(_ offsets: [GroupOffsetDescription]) -> [Named] {
        var result: [Named] = []
        for offset in offsets {
            if let last = result.indices.last, result[last].topic == offset.topic {
                result[last].partitions?.append(offset.partition)
            } else {
                result.append((offset.topic, [offset.partition]))
            }
        }
        return result
    }
}

extension Offset {
    /// The offset so many records further on, at most the largest and at least the first there is.
    fileprivate func shifted(by count: Int64) -> Offset {
        let (sum, overflow) = rawValue.addingReportingOverflow(count)
        if overflow { return Offset(count < 0 ? 0 : Int64.max) }
        return Offset(max(0, sum))
    }
}
