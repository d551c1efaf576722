// SPDX-License-Identifier: Apache-2.0

import Bytes
import SerfCore
import SerfWire
import SwimCore
import Testing

/// Some nodes that exchange packets and streams under a virtual clock: nothing is lost but what the test
/// cuts, and everything takes a millisecond.
final class TestNetwork {
    /// A node and what it has said.
    struct Site {
        var serf: Serf
        let endpoint: Endpoint
        var isUp = true
        var events: [SerfEvent] = []
        var ended: [CommandID: Result<CommandOutcome, SerfError>] = [:]
        var progress: [CommandID: [QueryProgress]] = [:]
        var observations: [SerfObservation] = []
        var keyring: Keyring?
        var stops: [StopReason] = []
    }

    private struct Delivery {
        let at: Moment
        let site: Int
        let input: Serf.Input
    }

    private(set) var sites: [Site] = []
    private(set) var now = Moment(nanoseconds: 0)
    /// Whether what one site sends does not reach another.
    var isCut: (_ from: Int, _ to: Int) -> Bool = { _, _ in false }
    /// Whether each site answers every query that its application is told of.
    var answersQueries = true

    private var deliveries: [Delivery] = []
    private var lastCommand: UInt64 = 0
    private var lastStream: UInt64 = 0
    /// By the accepter's stream: who waits for the answer.
    private var dialled: [StreamID: (site: Int, stream: StreamID)] = [:]

    /// Adds a node and starts it.
    @discardableResult
    func add(
        _ name: String, tags: [String: String] = [:], keyring: Keyring? = nil,
        at address: UInt32? = nil, seed: UInt64 = 0,
        settings change: (inout SerfSettings) -> Void = { _ in }
    ) -> Int {
        var settings = SerfSettings.lan
        change(&settings)
        let number = sites.count
        let endpoint = Endpoint(
            address: .v4(0x7f00_0001 + (address ?? UInt32(number))), port: 7946)
        let serf = try! Serf(
            settings: settings, name: name, endpoint: endpoint, tags: tags, keyring: keyring,
            seed: seed + UInt64(number) + 100, at: now)
        sites.append(Site(serf: serf, endpoint: endpoint, keyring: keyring))
        hand(.start, to: number)
        return number
    }

    /// Adds nodes that all join the first one, and waits until each knows all.
    func gather(_ names: [String], settings: (inout SerfSettings) -> Void = { _ in }) {
        for name in names { add(name, settings: settings) }
        for number in sites.indices.dropFirst() { join(number, to: [0]) }
        let isOne = run(within: .seconds(30)) { network in
            network.sites.allSatisfy { $0.serf.memberCount(of: .alive) == names.count }
        }
        #expect(isOne, "the nodes do not find each other")
    }

    /// A node ends without a word.
    func kill(_ site: Int) { sites[site].isUp = false }

    @discardableResult
    func command(_ command: Serf.Command, at site: Int) -> CommandID {
        lastCommand += 1
        let id = CommandID(rawValue: lastCommand)
        hand(.command(id, command), to: site)
        return id
    }

    @discardableResult
    func join(_ site: Int, to others: [Int], replay: Bool = false) -> CommandID {
        command(.join(others.map { sites[$0].endpoint }, replayEvents: replay), at: site)
    }

    /// Lets time pass until a condition holds.
    ///
    /// - Returns: Whether it holds.
    func run(within duration: Duration, until holds: (TestNetwork) -> Bool) -> Bool {
        let end = now + duration
        while !holds(self) {
            guard step(before: end) else {
                now = end
                return holds(self)
            }
        }
        return true
    }

    func run(for duration: Duration) {
        _ = run(within: duration) { _ in false }
    }

    func status(of name: String, at site: Int) -> MemberStatus? {
        sites[site].serf.member(named: name)?.status
    }

    func userEvents(at site: Int) -> [String] {
        sites[site].events.compactMap { if case .user(let event) = $0 { event.name } else { nil } }
    }

    // MARK: How it is done

    /// Does what comes next, if it comes by then.
    private func step(before end: Moment) -> Bool {
        let delivery = deliveries.indices.min { deliveries[$0].at < deliveries[$1].at }
        var tick: (at: Moment, site: Int)?
        for (number, site) in sites.enumerated() where site.isUp {
            guard let deadline = site.serf.nextDeadline else { continue }
            if deadline < tick?.at ?? Moment(nanoseconds: .max) { tick = (deadline, number) }
        }
        if let delivery, deliveries[delivery].at <= tick?.at ?? Moment(nanoseconds: .max) {
            guard deliveries[delivery].at <= end else { return false }
            let next = deliveries.remove(at: delivery)
            now = max(now, next.at)
            hand(next.input, to: next.site)
            return true
        }
        guard let tick, tick.at <= end else { return false }
        now = max(now, tick.at)
        hand(.tick, to: tick.site)
        return true
    }

    private func hand(_ input: Serf.Input, to number: Int) {
        guard sites[number].isUp else { return }
        var effects: [SerfEffect] = []
        sites[number].serf.receive(input, at: now, into: &effects)
        sites[number].serf.checkInvariants()
        for effect in effects { perform(effect, of: number) }
    }

    private func perform(_ effect: SerfEffect, of number: Int) {
        switch effect {
        case .swim(let effect): perform(effect, of: number)
        case .event(let event):
            sites[number].events.append(event)
            if case .query(let query) = event, answersQueries {
                command(.respond(query.token, Array("\(query.name)!".utf8)), at: number)
            }
        case .queryProgress(let id, let progress):
            sites[number].progress[id, default: []].append(progress)
        case .ended(let id, let result):
            #expect(sites[number].ended[id] == nil, "\(id) ends twice")
            sites[number].ended[id] = result
        case .keyringChanged(let keyring): sites[number].keyring = keyring
        case .stop(let reason):
            sites[number].stops.append(reason)
            sites[number].isUp = false
        case .observe(let observation): sites[number].observations.append(observation)
        }
    }

    private func perform(_ effect: SwimEffect, of number: Int) {
        switch effect {
        case .send(let packet, let endpoint):
            let target = site(at: endpoint)
            guard let target, !isCut(number, target) else { return }
            later(.packet(packet, from: sites[number].endpoint), to: target)
        case .open(let stream, let endpoint, let request, let timeout):
            guard let target = site(at: endpoint) else {
                later(.streamFailed(stream, .unreachable("nobody there")), to: number)
                return
            }
            guard !isCut(number, target), !isCut(target, number) else {
                later(.streamFailed(stream, .timedOut), to: number, after: timeout)
                return
            }
            lastStream += 2
            let accepted = StreamID(rawValue: lastStream)
            dialled[accepted] = (number, stream)
            later(.request(accepted, request, from: sites[number].endpoint), to: target)
        case .reply(let stream, let answer):
            guard let dialler = dialled.removeValue(forKey: stream) else { return }
            later(.answer(dialler.stream, answer), to: dialler.site)
        case .close(let stream):
            guard let dialler = dialled.removeValue(forKey: stream) else { return }
            later(.streamFailed(dialler.stream, .closed), to: dialler.site)
        case .observe: break
        }
    }

    private func site(at endpoint: Endpoint) -> Int? {
        sites.lastIndex { $0.isUp && $0.endpoint == endpoint }
    }

    private func later(
        _ input: Serf.Input, to site: Int, after delay: Duration = .milliseconds(1)
    ) {
        deliveries.append(Delivery(at: now + delay, site: site, input: input))
    }
}
