// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import SwimCore

@Suite("A suspicion")
struct SuspicionTests {
    @Test(
        "lasts at least so long by the number of nodes, the factor cut to three decimals",
        arguments: [
            (1, 4.0), (2, 4.0), (3, 4.0), (5, 4.0), (10, 4.0), (11, 4.164), (25, 5.588),
            (50, 6.792), (100, 8.0), (500, 10.792), (1000, 12.0),
        ])
    func shortest(nodes: Int, seconds: Double) {
        let bounds = Suspicion.Bounds(nodes: nodes, settings: .lan)
        #expect(bounds.shortest == .milliseconds(Int64((1000 * seconds).rounded())))
        #expect(bounds.longest == bounds.shortest * 6)
    }

    @Test(
        "is shortened by each confirmation, to the millisecond",
        arguments: [(0, 24_000), (1, 11_381), (2, 4000), (3, 4000)])
    func shortened(confirmations: Int, milliseconds: Int) {
        let bounds = Suspicion.Bounds(nodes: 10, settings: .lan)
        #expect(bounds.confirmationsMax == 2)
        #expect(bounds.timeout(confirmations: confirmations) == .milliseconds(milliseconds))
    }

    @Test("that too few others could confirm is as short as it gets from the start")
    func alone() {
        for nodes in 1...3 {
            let bounds = Suspicion.Bounds(nodes: nodes, settings: .lan)
            #expect(bounds.confirmationsMax == 0)
            #expect(bounds.timeout(confirmations: 0) == .seconds(4))
        }
        #expect(Suspicion.Bounds(nodes: 4, settings: .lan).confirmationsMax == 2)
    }

    @Test("of the other profiles follows the same formula")
    func profiles() {
        let wan = Suspicion.Bounds(nodes: 10, settings: .wan)
        #expect(wan.shortest == .seconds(30))
        #expect(wan.longest == .seconds(180))
        #expect(wan.confirmationsMax == 4)
        #expect(wan.timeout(confirmations: 3) == .milliseconds(50_797))
        let local = Suspicion.Bounds(nodes: 3, settings: .local)
        #expect(local.confirmationsMax == 1)
        #expect(local.timeout(confirmations: 0) == .seconds(18))
        #expect(local.timeout(confirmations: 1) == .seconds(3))
    }

    @Test("counts each name once, and no more names than can shorten it")
    func confirming() {
        var timers = TimerQueue<TimerPurpose>()
        let start = Moment(nanoseconds: 7)
        var suspicion = Suspicion(
            since: start, bounds: Suspicion.Bounds(nodes: 9, settings: .lan), from: "a",
            timer: timers.set(.gossip, at: start))
        let news = ["a", "b", "b", "c", "d"].map { suspicion.confirm(from: $0) }
        #expect(news == [false, true, false, true, false])
        #expect(suspicion.confirmations == 2)
        #expect(suspicion.deadline == start + .seconds(4))
    }
}

@Suite("Logarithms")
struct LogarithmTests {
    @Test("are right to the last decimals")
    func natural() {
        let known: [(Int, Double)] = [
            (1, 0), (2, 0.6931471805599453), (3, 1.0986122886681098), (5, 1.6094379124341003),
            (7, 1.9459101490553132), (10, 2.302585092994046), (1000, 6.907755278982137),
            (65_535, 11.090339630053647),
        ]
        for (number, logarithm) in known {
            #expect(abs(Logarithm.natural(number) - logarithm) <= 2 * logarithm.ulp)
        }
    }

    @Test("to base 10 are whole for powers of ten, and never too large by a thousandth")
    func decimal() {
        for exponent in 0...15 {
            var power = 1
            for _ in 0..<exponent { power *= 10 }
            #expect(Logarithm.decimalInThousandths(power) == 1000 * exponent)
            #expect(Logarithm.decimalCeiling(power) == exponent)
            #expect(Logarithm.decimalCeiling(power + 1) == exponent + 1)
        }
        #expect(Logarithm.decimalInThousandths(999) == 2999)
        #expect(Logarithm.decimalInThousandths(2) == 301)
        for number in 1..<5000 {
            let step =
                Logarithm.decimalInThousandths(number + 1)
                - Logarithm.decimalInThousandths(number)
            #expect(step >= 0)
        }
    }

    @Test("to base 2 are rounded up")
    func binary() {
        #expect(
            [1, 2, 3, 4, 32, 33, 64, 65].map(Logarithm.binaryCeiling) == [0, 1, 2, 2, 5, 6, 6, 7])
    }
}
