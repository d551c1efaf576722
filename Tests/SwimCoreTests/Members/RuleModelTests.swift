// SPDX-License-Identifier: Apache-2.0

import Bytes
import SerfWire
import Testing

@testable import SwimCore

/// The rules about one record, once more and in few words: what a memberlist must agree with,
/// whatever comes in whatever order.
private struct Model {
    struct Known: Equatable {
        var state: Liveness
        var incarnation: UInt32
        var address: String
        var meta: [UInt8]
        var suspecters: [String] = []
    }

    var known: Known?
    /// What the delegate hears.
    var calls: [Recorder.Call] = []
    /// The message that was passed on last.
    var passedOn: SwimMessage?
    /// How many confirmations count: four nodes or more, and LAN's multiplier.
    let confirmationsMax = 2

    mutating func hear(_ message: SwimMessage) {
        switch message {
        case .alive(let news): hear(news, message)
        case .suspect(let news): hear(news, message)
        case .dead(let news): hear(news, message)
        default: break
        }
    }

    private mutating func hear(_ news: Alive, _ message: SwimMessage) {
        let address = news.endpoint == endpoint(of: "a") ? "a" : "b"
        guard let old = known else {
            guard news.incarnation > 0 else { return }
            known = Known(
                state: .alive, incarnation: news.incarnation, address: address, meta: news.meta)
            calls.append(.joined("a"))
            passedOn = message
            return
        }
        let moves = old.address != address
        if moves, old.state != .left {
            calls.append(.conflicted("a", other: news.endpoint))
            return
        }
        guard news.incarnation > (moves ? 0 : old.incarnation) else { return }
        known = Known(
            state: .alive, incarnation: news.incarnation, address: address, meta: news.meta)
        if old.state == .dead || old.state == .left {
            calls.append(.joined("a"))
        } else if old.meta != news.meta {
            calls.append(.updated("a", news.meta))
        }
        passedOn = message
    }

    private mutating func hear(_ news: Suspect, _ message: SwimMessage) {
        guard var now = known, news.incarnation >= now.incarnation else { return }
        switch now.state {
        case .dead, .left: return
        case .suspect:
            guard !now.suspecters.contains(news.from), now.suspecters.count <= confirmationsMax
            else { return }
            now.suspecters.append(news.from)
        case .alive:
            now.state = .suspect
            now.incarnation = news.incarnation
            now.suspecters = [news.from]
        }
        known = now
        passedOn = message
    }

    private mutating func hear(_ news: Dead, _ message: SwimMessage) {
        guard var now = known, news.incarnation >= now.incarnation else { return }
        guard now.state == .alive || now.state == .suspect else { return }
        now.state = news.from == "a" ? .left : .dead
        now.incarnation = news.incarnation
        now.suspecters = []
        known = now
        calls.append(.left("a", now.state))
        passedOn = message
    }
}

@Suite("Whatever is said of a node")
struct RuleModelTests {
    private func randomMessage(using random: inout SplitMix64) -> SwimMessage {
        let incarnation = UInt32.random(in: 0...6, using: &random)
        let from = ["a", "p", "q", "r", "me"].randomElement(using: &random) ?? "p"
        switch Int.random(in: 0..<8, using: &random) {
        case 0...2:
            let address = Int.random(in: 0..<5, using: &random) == 0 ? "b" : "a"
            let meta = [UInt8](repeating: 1, count: Int.random(in: 0...1, using: &random))
            return .alive(alive("a", incarnation, at: address, meta: meta))
        case 3...5: return suspect("a", incarnation, from: from)
        case 6: return dead("a", incarnation, from: from)
        default: return dead("a", incarnation, from: "a")
        }
    }

    @Test("the record, the reports and what is passed on are those of the rules")
    func agreement() {
        for seed in 1...400 as ClosedRange<UInt64> {
            var random = SplitMix64(seed: seed)
            var subject = Subject(settings: .quiet, seed: seed)
            subject.know("p", "q", "r", "s")
            var model = Model()
            for step in 0..<60 {
                let message = randomMessage(using: &random)
                model.passedOn = nil
                subject.exhaustGossip()
                subject.receive(message)
                model.hear(message)
                let record = subject.list.table["a"]
                let known = record.map { record in
                    Model.Known(
                        state: record.node.state, incarnation: record.node.incarnation,
                        address: record.node.endpoint == endpoint(of: "a") ? "a" : "b",
                        meta: record.node.meta, suspecters: record.suspicion?.suspecters ?? [])
                }
                let hint = Comment(rawValue: "seed \(seed), step \(step): \(message)")
                #expect(known == model.known, hint)
                #expect(subject.delegate.calls == model.calls, hint)
                #expect(subject.queued == (model.passedOn.map { [$0] } ?? []), hint)
                guard known == model.known else { return }
            }
        }
    }
}
