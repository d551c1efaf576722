// SPDX-License-Identifier: Apache-2.0

import Records
import Testing

@Suite("Positions")
struct PositionsTests {
    @Test("offsets count records")
    func offsets() {
        let offset: Offset = 40
        #expect(offset.advanced(by: 2) == 42)
        #expect(Offset(42).distance(from: offset) == 2)
        #expect(offset < 41 && offset > .zero)
        #expect("\(offset)" == "40")
    }

    @Test("indexes and terms begin behind zero")
    func indexes() {
        #expect(LogIndex.zero.next == LogIndex(1))
        #expect(Term.zero < Term(1))
        #expect(Term.max.rawValue == UInt64(Int32.max))
    }

    @Test("no timestamp is before the first one")
    func timestamps() {
        #expect(Timestamp.none < Timestamp(milliseconds: 0))
    }
}
