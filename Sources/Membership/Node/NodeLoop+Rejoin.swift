// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore
internal import NIOPosix
internal import SerfCore
internal import SerfWire
internal import SwimCore

/// How far the asking of seeds has come.
struct Rejoin {
    /// The pause before the round after the next one.
    var pause: Duration
    var scheduled: Scheduled<Void>?
    /// Whether names are looked up, or peers asked, at this moment.
    var isAsking = false
    /// Which of many addresses the next round begins with.
    var next = 0

    /// More addresses are not looked at.
    static let addressesMax = 4096

    /// The addresses of a round, when there are more than may be asked at once: the next ones, and
    /// from the first on again.
    mutating func round(of endpoints: [Endpoint], countMax: Int) -> [Endpoint] {
        guard endpoints.count > countMax else { return endpoints }
        let first = next % endpoints.count
        next = first + countMax
        return Array((endpoints[first...] + endpoints[..<first]).prefix(countMax))
    }
}

/// A seed and what the system said about its name.
struct ResolvedSeed: Sendable {
    var text: String
    var port: UInt16
    /// Empty if the name has no address at the moment.
    var addresses: [IPAddress]

    var isLoopback: Bool { addresses.contains(where: \.isLoopback) }

    /// Looks names up, which blocks.
    static func resolve(_ seeds: [HostAndPort], defaultPort: UInt16) -> [ResolvedSeed] {
        seeds.map { seed in
            // A name without an address is asked for again in the next round.
            let addresses = (try? NameLookup.addresses(of: seed.host)) ?? []
            return ResolvedSeed(
                text: seed.host, port: seed.port ?? defaultPort, addresses: addresses)
        }
    }
}

extension NodeLoop {
    /// Whether no other member is in view.
    var isAlone: Bool { core.memberCount(of: .alive) <= 1 }

    /// The port of seeds that name none.
    var seedPort: UInt16 { settings.bindPort == 0 ? 7946 : settings.bindPort }

    /// Asks the seeds, now and again, until another member is in view.
    func beginRejoining() {
        guard !isClosed, !settings.seeds.isEmpty, core.phase == .running, isAlone,
            !rejoin.isAsking, rejoin.scheduled == nil
        else { return }
        rejoin.pause = settings.rejoinPauseMin
        askSeeds()
    }

    func membersChanged(_ event: SerfEvent) {
        switch event {
        case .failed, .left, .reaped:
            report()
            beginRejoining()
        case .joined, .updated: report()
        case .user, .query: break
        }
    }

    private func askSeeds() {
        rejoin.scheduled = nil
        guard !isClosed, core.phase == .running, isAlone else { return }
        rejoin.isAsking = true
        // Settings that cannot be read are refused before the start.
        let seeds = settings.seeds.compactMap { try? HostAndPort($0) }
        let port = seedPort
        NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
            ResolvedSeed.resolve(seeds, defaultPort: port)
        }.assumeIsolated().whenComplete { result in
            // The pool fails only when it is shut down, as nothing else in the process works then.
            self.ask((try? result.get()) ?? [])
        }
    }

    private func ask(_ seeds: [ResolvedSeed]) {
        guard !isClosed else { return }
        do {
            let endpoints = rejoin.round(
                of: try self.endpoints(of: seeds), countMax: settings.serf.swim.exchangesMax)
            guard !endpoints.isEmpty else { return roundEnded() }
            command(
                .join(endpoints, replayEvents: false),
                waiter: CommandWaiter { [weak self] _ in self?.roundEnded() })
        } catch {
            close(error)
        }
    }

    /// Whom to ask: all addresses of all seeds, but not ourselves.
    ///
    /// - Throws: If a seed is elsewhere and our own address is good on this machine only.
    func endpoints(of seeds: [ResolvedSeed]) throws(MembershipError) -> [Endpoint] {
        var endpoints: [Endpoint] = []
        for seed in seeds where !seed.addresses.isEmpty {
            try AdvertisedAddress.check(endpoint, reaches: seed.text, isLoopback: seed.isLoopback)
            for address in seed.addresses {
                let endpoint = Endpoint(address: address, port: seed.port)
                guard !isOwn(endpoint), !endpoints.contains(endpoint),
                    endpoints.count < Rejoin.addressesMax
                else { continue }
                endpoints.append(endpoint)
            }
        }
        return endpoints
    }

    private func isOwn(_ other: Endpoint) -> Bool {
        if other == endpoint || other == bound { return true }
        guard bound.address.isUnspecified, other.port == bound.port else { return false }
        return other.address.isLoopback || AdvertisedAddress.ofMachine().contains(other.address)
    }

    private func roundEnded() {
        rejoin.isAsking = false
        guard !isClosed, isAlone else { return }
        let pause = rejoin.pause
        rejoin.pause = min(pause * 2, settings.rejoinPauseMax)
        log.logger.debug(
            "no seed has answered",
            metadata: ["seeds": "\(settings.seeds)", "next_round_in": "\(pause)"])
        rejoin.scheduled = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(pause)) {
            [weak self] in self?.askSeeds()
        }
    }
}
