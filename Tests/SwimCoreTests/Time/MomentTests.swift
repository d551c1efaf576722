// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import SwimCore

@Suite("A moment")
struct MomentTests {
    @Test("moves by a duration, and tells the duration between two")
    func arithmetic() {
        let start = Moment(nanoseconds: 5)
        #expect(start + .milliseconds(2) == Moment(nanoseconds: 2_000_005))
        #expect((start + .milliseconds(2)).duration(since: start) == .milliseconds(2))
        #expect(start.duration(since: start + .seconds(1)) == .seconds(-1))
        #expect(start + .seconds(-1) < start)
    }

    @Test("ends where its numbers end, rather than to come round")
    func saturation() {
        let late = Moment(nanoseconds: .max - 1)
        #expect(late + .seconds(1) == Moment(nanoseconds: .max))
        #expect(late + .seconds(Int64.max) == Moment(nanoseconds: .max))
        #expect(Moment(nanoseconds: .min) + .seconds(-1) == Moment(nanoseconds: .min))
        #expect(
            late.duration(since: Moment(nanoseconds: .min)) == .nanoseconds(Int64.max))
    }
}
