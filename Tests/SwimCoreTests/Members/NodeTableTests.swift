// SPDX-License-Identifier: Apache-2.0

import Bytes
import SerfWire
import Testing

@testable import SwimCore

@Suite("The node table")
struct NodeTableTests {
    private func node(_ number: Int, _ state: Liveness = .alive) -> SwimNode {
        SwimNode(
            name: "n\(number)", endpoint: endpoint(of: "n\(number % 20)"), meta: [],
            versions: .current, incarnation: 1, state: state, changed: Moment(nanoseconds: 0))
    }

    @Test("keeps names, addresses and counts in step, whatever is added, changed and forgotten")
    func consistency() {
        for seed in 1...20 as ClosedRange<UInt64> {
            var random = SplitMix64(seed: seed)
            var table = NodeTable()
            var next = 0
            for _ in 0..<200 {
                switch Int.random(in: 0..<6, using: &random) {
                case 0:
                    table.beginRound(using: &random) { $0.node.state == .dead }
                case 1, 2:
                    guard table.count > 0 else { continue }
                    let place = Int.random(in: 0..<table.count, using: &random)
                    let state = Liveness.allCases.randomElement(using: &random) ?? .alive
                    let other = endpoint(of: "m\(Int.random(in: 0..<5, using: &random))")
                    table.change(table.records[place].node.name) { record in
                        record.node.state = state
                        record.node.endpoint = other
                    }
                default:
                    table.insert(node(next), using: &random)
                    next += 1
                }
                table.checkInvariants()
            }
        }
    }

    @Test("puts new nodes anywhere in the order")
    func anywhere() {
        var places: Set<Int> = []
        for seed in 0..<200 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            var table = NodeTable()
            for number in 0..<4 { table.insert(node(number), using: &random) }
            places.insert(table.records.firstIndex { $0.node.name == "n3" } ?? -1)
        }
        #expect(places == [0, 1, 2, 3])
    }

    @Test("draws all that are wanted if they are few, none twice, and nobody else")
    func sampling() {
        for seed in 0..<100 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            var table = NodeTable()
            for number in 0..<100 {
                table.insert(node(number, number < 3 ? .suspect : .alive), using: &random)
            }
            let few = table.sample(3, using: &random) { $0.state == .suspect }
            #expect(few.map(\.name).sorted() == ["n0", "n1", "n2"])
            #expect(table.sample(5, using: &random) { $0.state == .suspect }.count == 3)
            let many = table.sample(10, using: &random) { $0.state == .alive }
            #expect(Set(many.map(\.name)).count == 10)
            #expect(table.sample(0, using: &random) { _ in true }.isEmpty)
        }
    }

    @Test("draws each one as often as the others")
    func fairness() {
        var random = SplitMix64(seed: 4)
        var table = NodeTable()
        for number in 0..<10 {
            table.insert(node(number, number < 5 ? .alive : .left), using: &random)
        }
        var counts: [String: Int] = [:]
        for _ in 0..<5000 {
            for node in table.sample(2, using: &random, where: { $0.state == .alive }) {
                counts[node.name, default: 0] += 1
            }
        }
        #expect(counts.count == 5)
        for count in counts.values { #expect((1850...2150).contains(count)) }
    }
}
