// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

@testable import SwimCore

@Suite("The gossip queue")
struct GossipQueueTests {
    private func message(_ mark: UInt8, _ length: Int) -> [UInt8] {
        [UInt8](repeating: mark, count: length)
    }

    private func marks(_ parts: [[UInt8]]) -> [UInt8] { parts.compactMap(\.first) }

    @Test("gives the least sent first, then the longest, then the newest")
    func order() {
        var queue = GossipQueue()
        queue.queue(message(1, 10))
        #expect(marks(queue.draw(overhead: 0, budget: 100, limit: 9, countMax: 9)) == [1])
        queue.queue(message(2, 5))
        queue.queue(message(3, 20))
        queue.queue(message(4, 5))
        #expect(marks(queue.draw(overhead: 0, budget: 100, limit: 9, countMax: 9)) == [3, 4, 2, 1])
        queue.checkInvariants()
    }

    @Test("passes over what does not fit, and fills the room with what does")
    func skipping() {
        var queue = GossipQueue()
        for (mark, length) in [(1, 50), (2, 30), (3, 9), (4, 8)] as [(UInt8, Int)] {
            queue.queue(message(mark, length))
        }
        #expect(marks(queue.draw(overhead: 2, budget: 43, limit: 9, countMax: 9)) == [2, 3])
        #expect(marks(queue.draw(overhead: 2, budget: 43, limit: 9, countMax: 9)) == [4, 2])
        #expect(marks(queue.draw(overhead: 2, budget: 9, limit: 9, countMax: 9)) == [])
    }

    @Test("gives each message once a draw, and as often as the limit says")
    func limit() {
        var queue = GossipQueue()
        let id = queue.queue(message(1, 1), isTracked: true)
        for round in 1...4 {
            #expect(queue.takeFinished() == [], "round \(round)")
            #expect(marks(queue.draw(overhead: 0, budget: 9, limit: 4, countMax: 9)) == [1])
        }
        #expect(queue.isEmpty)
        #expect(queue.takeFinished() == [id])
        #expect(queue.takeFinished() == [])
    }

    @Test("holds one message about a name, the last one, and tells that the older one is done")
    func replacing() {
        var queue = GossipQueue()
        let older = queue.queue(message(1, 1), name: "a", isTracked: true)
        queue.queue(message(2, 1), name: "b")
        queue.queue(message(3, 1), name: "a")
        queue.queue(message(4, 1))
        queue.queue(message(5, 1))
        #expect(queue.takeFinished() == [older])
        #expect(marks(queue.draw(overhead: 0, budget: 9, limit: 9, countMax: 9)) == [5, 4, 3, 2])
    }

    @Test("drops those that were sent most when there are too many, and never the protected one")
    func pruning() {
        var queue = GossipQueue()
        queue.queue(message(1, 1), name: "me")
        let tracked = queue.queue(message(2, 1), isTracked: true)
        _ = queue.draw(overhead: 0, budget: 9, limit: 9, countMax: 9)
        queue.queue(message(3, 1))
        queue.queue(message(4, 1))
        #expect(queue.prune(to: 3, keeping: "me") == 1)
        #expect(queue.takeFinished() == [tracked])
        #expect(queue.prune(to: 1, keeping: "me") == 2)
        #expect(marks(queue.draw(overhead: 0, budget: 9, limit: 9, countMax: 9)) == [1])
        #expect(queue.prune(to: 0, keeping: "me") == 0)
    }

    @Test("does not hold what no packet has room for")
    func tooLong() {
        var queue = GossipQueue(lengthMax: 10)
        let id = queue.queue(message(1, 11), name: "a", isTracked: true)
        #expect(queue.isEmpty)
        #expect(queue.takeFinished() == [id])
        queue.queue(message(2, 10), name: "a")
        #expect(queue.count == 1)
    }

    @Test("takes no more messages than may go into a packet")
    func count() {
        var queue = GossipQueue()
        for mark in 0..<200 { queue.queue([UInt8(mark)]) }
        #expect(queue.draw(overhead: 0, budget: 1000, limit: 9, countMax: 127).count == 127)
        #expect(queue.draw(overhead: 0, budget: 1000, limit: 9, countMax: 127).count == 127)
        #expect(queue.transmissionsMost == 2)
    }

    @Test("agrees with a plain list, whatever is queued and drawn")
    func model() {
        struct Entry { var mark: Int, length: Int, sent = 0, name: String?, bytes: [UInt8] }
        for seed in 1...30 as ClosedRange<UInt64> {
            var random = SplitMix64(seed: seed)
            var queue = GossipQueue()
            var model: [Entry] = []
            for mark in 0..<200 {
                if Bool.random(using: &random) {
                    let length = Int.random(in: 2..<40, using: &random)
                    let name = ["a", "b", "c", nil, nil].randomElement(using: &random) ?? nil
                    var bytes = [UInt8](repeating: UInt8(mark), count: length)
                    bytes[1] = UInt8(length)
                    if name != nil { model.removeAll { $0.name == name } }
                    model.append(Entry(mark: mark, length: length, name: name, bytes: bytes))
                    queue.queue(bytes, name: name)
                } else {
                    var room = Int.random(in: 0..<150, using: &random)
                    let drawn = queue.draw(overhead: 2, budget: room, limit: 3, countMax: 5)
                    model.sort { ($0.sent, -$0.length, -$0.mark) < ($1.sent, -$1.length, -$1.mark) }
                    var expected: [[UInt8]] = []
                    for place in model.indices
                    where model[place].length + 2 <= room && expected.count < 5 {
                        room -= model[place].length + 2
                        expected.append(model[place].bytes)
                        model[place].sent += 1
                    }
                    model.removeAll { $0.sent == 3 }
                    #expect(drawn == expected)
                }
                queue.checkInvariants()
                #expect(queue.count == model.count)
            }
        }
    }
}
