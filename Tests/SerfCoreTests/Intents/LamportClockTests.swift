// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

@testable import SerfCore

@Suite struct LamportClockTests {
    @Test("a clock begins at 1")
    func begins() {
        #expect(LamportClock().time == LamportTime(1))
    }

    @Test(
        "what was seen moves the clock past it, if it is not behind already",
        arguments: [(0, 1), (1, 2), (2, 3), (100, 101)] as [(UInt64, UInt64)])
    func witness(seen: UInt64, time: UInt64) {
        var clock = LamportClock()
        clock.witness(LamportTime(seen))
        #expect(clock.time == LamportTime(time))
    }

    @Test(
        "of a peer's clock the time before it is witnessed",
        arguments: [(0, 1), (1, 1), (2, 2), (100, 100)] as [(UInt64, UInt64)])
    func witnessClock(shown: UInt64, time: UInt64) {
        var clock = LamportClock()
        clock.witness(clock: LamportTime(shown))
        #expect(clock.time == LamportTime(time))
    }

    @Test("a stamp is the current time, and the next one is later")
    func stamp() {
        var clock = LamportClock()
        #expect(clock.stamp() == LamportTime(1))
        #expect(clock.stamp() == LamportTime(2))
        #expect(clock.time == LamportTime(3))
    }

    @Test("the greatest time does not turn the clock over")
    func saturates() {
        var clock = LamportClock()
        clock.witness(LamportTime(.max))
        #expect(clock.time == LamportTime(.max))
        #expect(clock.stamp() == LamportTime(.max))
        clock.witness(LamportTime(5))
        #expect(clock.time == LamportTime(.max))
    }

    @Test("a time is forgotten when it lies more than the depth before the clock")
    func forgets() {
        var clock = LamportClock()
        clock.witness(LamportTime(511))
        #expect(clock.time == LamportTime(512))
        #expect(!LamportTime(0).isForgotten(by: clock, depth: 512))
        clock.witness(LamportTime(599))
        #expect(LamportTime(87).isForgotten(by: clock, depth: 512))
        #expect(!LamportTime(88).isForgotten(by: clock, depth: 512))
    }
}
