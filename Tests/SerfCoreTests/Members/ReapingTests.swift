// SPDX-License-Identifier: Apache-2.0

import SerfWire
import SwimCore
import Testing

@testable import SerfCore

@Suite struct ReapingTests {
    private func subject(left: Bool = false) -> Subject {
        // Without probes: nobody is there to answer them.
        var subject = Subject {
            $0.swim.probeInterval = .seconds(1_000_000)
            $0.swim.pushPullInterval = .zero
            $0.swim.gossipInterval = .seconds(1_000_000)
            $0.reconnectTimeout = .seconds(100)
            $0.tombstoneTimeout = .seconds(200)
        }
        subject.admit("m")
        if left {
            subject.hear(.leave(LeaveIntent(time: LamportTime(4), node: "m", prune: false)))
        }
        subject.bury("m")
        _ = subject.takeEffects()
        return subject
    }

    private func reaped(_ subject: inout Subject) -> [String] {
        subject.takeEvents().flatMap { event -> [String] in
            if case .reaped(let members) = event { members.map(\.name) } else { [] }
        }
    }

    @Test(
        "a member that failed, or left, is forgotten after its time",
        arguments: [(false, 100), (true, 200)])
    func reaps(left: Bool, seconds: Int) {
        var subject = subject(left: left)
        subject.pass(.seconds(seconds))
        #expect(reaped(&subject) == [])
        #expect(subject.status(of: "m") == (left ? .left : .failed))
        subject.pass(.seconds(15))
        #expect(reaped(&subject) == ["m"])
        #expect(subject.status(of: "m") == nil)
    }

    @Test("a member that came back is not forgotten")
    func cameBack() {
        var subject = subject()
        subject.pass(.seconds(90))
        subject.admit("m", incarnation: 2)
        subject.pass(.seconds(300))
        #expect(reaped(&subject) == [])
        #expect(subject.status(of: "m") == .alive)
    }

    @Test("the time begins anew with each change of status")
    func forced() {
        var subject = subject()
        subject.pass(.seconds(90))
        subject.hear(.leave(LeaveIntent(time: LamportTime(4), node: "m", prune: false)))
        subject.pass(.seconds(190))
        #expect(subject.status(of: "m") == .left)
        subject.pass(.seconds(30))
        #expect(subject.status(of: "m") == nil)
    }

    @Test("a failed member is tried again at its last address")
    func reconnects() {
        var subject = subject()
        // One of two is failed, so the chance is certain.
        subject.pass(.seconds(31))
        #expect(subject.lastExchange?.to == Subject.peer(1))
        #expect(subject.observations.contains(.reconnecting(node: "m")))
    }

    @Test("a member that left is not tried")
    func leavesAlone() {
        var subject = subject(left: true)
        subject.pass(.seconds(150))
        #expect(subject.lastExchange == nil)
    }

    @Test("the chance is the share of the failed among the living")
    func chance() {
        var tries = 0
        for seed in 0..<200 as Range<UInt64> {
            var subject = Subject(seed: seed) {
                $0.swim.probeInterval = .seconds(1_000_000)
                $0.swim.pushPullInterval = .zero
                $0.swim.gossipInterval = .seconds(1_000_000)
                $0.swim.gossipInterval = .seconds(1_000_000)
            }
            for number in 1...4 as ClosedRange<UInt32> { subject.admit("m\(number)", number) }
            subject.bury("m4")
            subject.pass(.seconds(31))
            if subject.lastExchange != nil { tries += 1 }
        }
        // One failed, four alive.
        #expect((30...70).contains(tries), "\(tries) of 200, not some 50")
    }

    @Test("all failed members are tried in time")
    func fair() {
        var subject = Subject {
            $0.swim.probeInterval = .seconds(1_000_000)
            $0.swim.pushPullInterval = .zero
            $0.swim.gossipInterval = .seconds(1_000_000)
        }
        for number in 1...5 as ClosedRange<UInt32> {
            subject.admit("m\(number)", number)
            subject.bury("m\(number)")
        }
        subject.pass(.seconds(1200))
        let tried = Set(
            subject.observations.compactMap { observation -> String? in
                if case .reconnecting(let node) = observation { node } else { nil }
            })
        #expect(tried.count == 5)
    }

    @Test("a member that answers is back")
    func returns() throws {
        var subject = subject()
        subject.pass(.seconds(31))
        let exchange = try #require(subject.lastExchange)
        var record = Subject.record("m", 1)
        record.incarnation = 5
        subject.receive(.answer(exchange.stream, Subject.answer(nodes: [record])))
        #expect(subject.status(of: "m") == .alive)
    }
}
