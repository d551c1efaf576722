// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import SerfWire

/// What the list holds about one node.
struct NodeRecord: Sendable {
    var node: SwimNode
    /// There exactly while the node is suspect.
    var suspicion: Suspicion?
}

/// The nodes of a ``Memberlist``, in the order in which they are probed.
///
/// The order is random and changed after each round; new nodes are put anywhere in it. So each node
/// is probed once a round, and none at a foreseeable time (SWIM 4.3).
struct NodeTable: Sendable {
    private(set) var records: [NodeRecord] = []
    private var places: [String: Int] = [:]
    /// How many nodes have an address, to know at once whether a stranger is somebody.
    private var endpoints: [Endpoint: Int] = [:]
    /// By the state's number.
    private var counts = [0, 0, 0, 0]
    /// The next one to be probed; the count when a round is over.
    var cursor = 0

    var count: Int { records.count }

    func count(of state: Liveness) -> Int { counts[Int(state.rawValue)] }

    subscript(name: String) -> NodeRecord? { places[name].map { records[$0] } }

    func holds(_ endpoint: Endpoint) -> Bool { endpoints[endpoint] != nil }

    /// Adds a node that is not there.
    mutating func insert(_ node: SwimNode, using random: inout SplitMix64) {
        precondition(places[node.name] == nil, "\(node.name) is in the table")
        records.append(NodeRecord(node: node))
        places[node.name] = records.count - 1
        counts[Int(node.state.rawValue)] += 1
        endpoints[node.endpoint, default: 0] += 1
        exchange(records.count - 1, Int.random(in: 0..<records.count, using: &random))
    }

    /// Changes a node that is there; its name stays.
    mutating func change(_ name: String, _ body: (inout NodeRecord) -> Void) {
        guard let place = places[name] else { preconditionFailure("\(name) is not in the table") }
        let (state, endpoint) = (records[place].node.state, records[place].node.endpoint)
        body(&records[place])
        let node = records[place].node
        precondition(node.name == name, "\(name) became \(node.name)")
        counts[Int(state.rawValue)] -= 1
        counts[Int(node.state.rawValue)] += 1
        guard endpoint != node.endpoint else { return }
        release(endpoint)
        endpoints[node.endpoint, default: 0] += 1
    }

    /// Begins a new round: forgets those that are to be forgotten, and shuffles the others.
    mutating func beginRound(
        using random: inout SplitMix64, forgetting isForgotten: (NodeRecord) -> Bool
    ) {
        var kept: [NodeRecord] = []
        kept.reserveCapacity(records.count)
        for record in records {
            guard isForgotten(record) else {
                kept.append(record)
                continue
            }
            places[record.node.name] = nil
            counts[Int(record.node.state.rawValue)] -= 1
            release(record.node.endpoint)
        }
        kept.shuffle(using: &random)
        records = kept
        for place in records.indices { places[records[place].node.name] = place }
        cursor = 0
    }

    /// Draws different nodes, each of those that are wanted as likely as the others.
    ///
    /// Blind draws find them at once where most nodes are wanted; a walk over the table finds the
    /// few that there are otherwise.
    func sample(
        _ countMax: Int, using random: inout SplitMix64, where isWanted: (SwimNode) -> Bool
    ) -> [SwimNode] {
        guard countMax > 0, !records.isEmpty else { return [] }
        var chosen: [Int] = []
        for _ in 0..<(4 * min(countMax, records.count)) {
            let place = Int.random(in: 0..<records.count, using: &random)
            guard !chosen.contains(place), isWanted(records[place].node) else { continue }
            chosen.append(place)
            if chosen.count == countMax { break }
        }
        if chosen.count < countMax {
            var others = records.indices.filter {
                !chosen.contains($0) && isWanted(records[$0].node)
            }
            others.shuffle(using: &random)
            chosen += others.prefix(countMax - chosen.count)
        }
        return chosen.map { records[$0].node }
    }

    private mutating func exchange(_ left: Int, _ right: Int) {
        guard left != right else { return }
        records.swapAt(left, right)
        places[records[left].node.name] = left
        places[records[right].node.name] = right
    }

    private mutating func release(_ endpoint: Endpoint) {
        guard let held = endpoints[endpoint] else { return }
        endpoints[endpoint] = held > 1 ? held - 1 : nil
    }

    /// Checks what must hold between any two calls.
    func checkInvariants() {
        precondition(places.count == records.count, "\(places.count) places of \(records.count)")
        precondition((0...count).contains(cursor), "the next probe is \(cursor) of \(count)")
        var counted = [0, 0, 0, 0]
        for place in records.indices {
            let node = records[place].node
            precondition(places[node.name] == place, "\(node.name) is elsewhere")
            precondition(holds(node.endpoint), "the address of \(node.name) is unknown")
            counted[Int(node.state.rawValue)] += 1
        }
        precondition(counted == counts, "counted \(counted), held \(counts)")
        precondition(endpoints.count <= records.count, "addresses of nobody")
    }
}
