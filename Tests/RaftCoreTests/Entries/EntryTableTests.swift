// SPDX-License-Identifier: Apache-2.0

import Bytes
import Positions
import Testing

@testable import RaftCore

@Suite("What the core knows of its log")
struct EntryTableTests {
    @Test("is what a plain list of terms would say", arguments: 1...20)
    func model(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        var table = EntryTable(RaftStart())
        var terms: [UInt64] = []
        var gone = 0
        for _ in 0..<400 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0 where terms.count > gone:
                let cut = Int.random(in: gone..<terms.count, using: &random)
                table.truncate(from: LogIndex(UInt64(cut + 1)))
                terms.removeLast(terms.count - cut)
            case 1 where terms.count > gone:
                gone = Int.random(in: gone...terms.count, using: &random)
                table.removeFirst(upTo: LogIndex(UInt64(gone)))
            case 2: table.trimTail(to: 3, keepingFrom: table.lastIndex.next)
            default:
                let term = max(1, terms.last ?? 1) + UInt64.random(in: 0...1, using: &random)
                table.append(EntryInfo(term: Term(term), size: 10))
                terms.append(term)
            }
            table.checkInvariants()
            #expect(table.lastIndex == LogIndex(UInt64(terms.count)))
            for index in max(1, gone)..<max(1, gone + 1, terms.count + 1) where index <= terms.count
            {
                #expect(table.term(at: LogIndex(UInt64(index))) == Term(terms[index - 1]))
            }
            #expect(table.term(at: LogIndex(UInt64(terms.count + 1))) == nil)
            if gone > 1 { #expect(table.term(at: LogIndex(UInt64(gone - 1))) == nil) }
        }
    }

    @Test("names the last place at which logs can agree")
    func agreement() {
        var table = EntryTable(RaftStart())
        for term in [1, 1, 2, 2, 5] as [UInt64] {
            table.append(EntryInfo(term: Term(term), size: 1))
        }
        #expect(table.lastIndex(upTo: LogIndex(5), ofTermUpTo: Term(4)) == LogIndex(4))
        #expect(table.lastIndex(upTo: LogIndex(3), ofTermUpTo: Term(9)) == LogIndex(3))
        #expect(table.lastIndex(upTo: LogIndex(5), ofTermUpTo: .zero) == .zero)
    }
}
