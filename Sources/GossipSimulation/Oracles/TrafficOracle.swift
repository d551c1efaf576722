// SPDX-License-Identifier: Apache-2.0

/// No node sends more than the protocol has a use for.
struct TrafficOracle {
    private let perSecondMax: Int
    private var second: [Int64]
    private var sentInSecond: [Int]
    private(set) var packets = 0
    private(set) var bytes = 0

    init(nodeCount: Int, perSecondMax: Int) {
        self.perSecondMax = perSecondMax
        second = Array(repeating: -1, count: nodeCount)
        sentInSecond = Array(repeating: 0, count: nodeCount)
    }

    mutating func sent(_ node: Int, _ size: Int, _ now: Int64) throws(Violation) {
        packets += 1
        bytes += size
        if now / 1_000_000_000 != second[node] {
            second[node] = now / 1_000_000_000
            sentInSecond[node] = 0
        }
        sentInSecond[node] += 1
        guard sentInSecond[node] <= perSecondMax else {
            throw Violation("n\(node) sends more than \(perSecondMax) packets within a second")
        }
    }
}
