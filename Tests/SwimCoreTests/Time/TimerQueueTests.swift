// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

@testable import SwimCore

@Suite("Timers")
struct TimerQueueTests {
    private func drain(_ timers: inout TimerQueue<Int>, at now: Int64) -> [Int] {
        var fired: [Int] = []
        while let (purpose, _) = timers.popDue(at: Moment(nanoseconds: now)) {
            fired.append(purpose)
            timers.checkInvariants()
        }
        return fired
    }

    @Test("fire in the order of their moments, and those of one moment in the order of setting")
    func order() {
        var timers = TimerQueue<Int>()
        for (purpose, moment) in [(1, 30), (2, 10), (3, 20), (4, 10), (5, 10)] {
            _ = timers.set(purpose, at: Moment(nanoseconds: Int64(moment)))
        }
        #expect(timers.nextDeadline == Moment(nanoseconds: 10))
        #expect(drain(&timers, at: 9) == [])
        #expect(drain(&timers, at: 20) == [2, 4, 5, 3])
        #expect(timers.nextDeadline == Moment(nanoseconds: 30))
    }

    @Test("that are cancelled neither fire nor wake anybody, and can be cancelled again")
    func cancelling() {
        var timers = TimerQueue<Int>()
        let first = timers.set(1, at: Moment(nanoseconds: 1))
        _ = timers.set(2, at: Moment(nanoseconds: 2))
        timers.cancel(first)
        let reuse = timers.set(3, at: Moment(nanoseconds: 3))
        timers.cancel(first)
        #expect(timers.nextDeadline == Moment(nanoseconds: 2))
        #expect(!timers.isSet(first))
        #expect(timers.isSet(reuse))
        #expect(drain(&timers, at: 5) == [2, 3])
        #expect(timers.nextDeadline == nil)
    }

    @Test("agree with a sorted list, whatever is set and cancelled")
    func model() {
        for seed in 1...40 as ClosedRange<UInt64> {
            var random = SplitMix64(seed: seed)
            var timers = TimerQueue<Int>()
            var model: [(id: TimerQueue<Int>.ID, deadline: Int64, purpose: Int)] = []
            for step in 0..<300 {
                switch Int.random(in: 0..<4, using: &random) {
                case 0 where !model.isEmpty:
                    let gone = Int.random(in: 0..<model.count, using: &random)
                    timers.cancel(model.remove(at: gone).id)
                case 1:
                    let now = Int64.random(in: 0..<100, using: &random)
                    let due = model.filter { $0.deadline <= now }
                        .sorted { ($0.deadline, $0.purpose) < ($1.deadline, $1.purpose) }
                    #expect(drain(&timers, at: now) == due.map(\.purpose))
                    model.removeAll { $0.deadline <= now }
                default:
                    let deadline = Int64.random(in: 0..<100, using: &random)
                    let id = timers.set(step, at: Moment(nanoseconds: deadline))
                    model.append((id, deadline, step))
                }
                timers.checkInvariants()
                #expect(timers.nextDeadline?.nanoseconds == model.map(\.deadline).min())
                #expect(timers.count == model.count)
            }
        }
    }
}
