// SPDX-License-Identifier: Apache-2.0

internal import CoreMetrics
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import SerfCore
internal import SerfWire
internal import SwimCore

/// A node at work: the core, and all that it is fed by and acts through.
///
/// ```
///   PacketSocket ─┐                              ┌─▶ PacketSocket, streams
///   streams ──────┤ open, count   ┌────────────┐ ├─▶ EventHub
///   timer ────────┼──────────────▶│    Serf    ├─┼─▶ whoever waits for a command
///   commands ─────┤               └────────────┘ ├─▶ KeyringWriter
///   seeds ────────┘                              └─▶ GossipLog, GossipMetrics
/// ```
///
/// Owner: one event loop; every call is made there. One input is handled whole, with its effects in
/// order, before the next one.
final class NodeLoop {
    let eventLoop: any EventLoop
    let settings: SerfNodeSettings
    let events: EventHub
    let metrics: GossipMetrics
    var log: GossipLog
    var counts = SocketCounts()

    private(set) var core: Serf
    private(set) var seal: PacketSeal
    private let sockets: BoundSockets
    private var packets: PacketSocket?
    private var timer: Scheduled<Void>?
    private var timerAt = Moment(nanoseconds: .max)
    private var reporting: Scheduled<Void>?
    private var inputs = CircularBuffer<Serf.Input>()
    private var isPerforming = false
    private let keyringWriter: KeyringWriter?

    var accepted: [StreamID: AcceptedStream] = [:]
    var dialled: [StreamID: DialledStream] = [:]
    private var lastAccepted: UInt64 = 0
    /// Bytes of all streams that wait to be whole.
    var streamBytes = 0

    var commands: [CommandID: CommandWaiter] = [:]
    var lastCommand: UInt64 = 0
    var rejoin: Rejoin

    /// Completes when the sockets are closed; fails with the reason if the node did not want that.
    let closed: EventLoopPromise<Void>
    private(set) var isClosed = false

    /// Accepted streams that may be open at a time.
    static let streamsMax = 128
    /// Bytes that all streams together may wait with: three of the largest.
    static let streamBytesMax = 64 << 20
    /// How often the gauges are brought up to date, beside each change of members.
    private static let reportInterval = TimeAmount.seconds(5)

    init(
        core: Serf, settings: SerfNodeSettings, keys: [[UInt8]], sockets: BoundSockets,
        events: EventHub, logger: Logger, metricsFactory: any MetricsFactory,
        on eventLoop: any EventLoop
    ) {
        self.core = core
        self.settings = settings
        self.sockets = sockets
        self.events = events
        self.eventLoop = eventLoop
        seal = PacketSeal(keys: keys, label: Array(settings.label.utf8))
        log = GossipLog(logger: logger)
        metrics = GossipMetrics(node: settings.name, factory: metricsFactory)
        keyringWriter = settings.keyringFile.map {
            KeyringWriter(file: KeyringFile(path: $0), eventLoop: eventLoop)
        }
        rejoin = Rejoin(pause: settings.rejoinPauseMin)
        closed = eventLoop.makePromise()
    }

    /// Where the others reach this node.
    var endpoint: Endpoint { core.localMember.endpoint }
    var bound: Endpoint { sockets.endpoint }
    var streamTimeout: TimeAmount { TimeAmount(settings.serf.swim.streamTimeout) }

    /// The clock that the core lives by: the system's monotonic one.
    static var now: Moment {
        Moment(nanoseconds: Int64(NIODeadline.now().uptimeNanoseconds))
    }

    // MARK: Life

    /// Begins to read and to gossip.
    func start() -> EventLoopFuture<Void> {
        let handler = PacketHandler(loop: self)
        return PacketSocket.open(
            sockets.packets, bound: sockets.address, on: eventLoop, handler: handler
        ).assumeIsolated().flatMap { packets in
            self.packets = packets
            guard !self.isClosed else { return packets.close() }
            self.receive(.start)
            self.reportAgain()
            self.beginRejoining()
            return self.sockets.listener.setOption(.autoRead, value: true)
        }.nonisolated()
    }

    /// Closes everything at once; the others will find out by themselves.
    ///
    /// - Parameter error: What ``closed`` fails with.
    func close(_ error: MembershipError? = nil) {
        guard !isClosed else { return }
        isClosed = true
        timer?.cancel()
        reporting?.cancel()
        rejoin.scheduled?.cancel()
        for stream in accepted.values { stream.close() }
        for stream in dialled.values { stream.close() }
        dialled = [:]
        let waiting = commands
        commands = [:]
        for waiter in waiting.values {
            waiter.end(.failure(error ?? MembershipError(.closed, "the node was closed")))
        }
        events.finish()
        report()
        let promise = closed
        // Closing a channel fails only if it was closed before.
        let listening = sockets.listener.close().flatMapErrorThrowing { _ in }
        let reading = packets?.close() ?? eventLoop.makeSucceededVoidFuture()
        listening.and(reading).whenComplete { _ in
            if let error { promise.fail(error) } else { promise.succeed() }
        }
    }

    private func reportAgain() {
        report()
        reporting = eventLoop.assumeIsolated().scheduleTask(in: Self.reportInterval) {
            [weak self] in self?.reportAgain()
        }
    }

    /// The UDP socket is gone.
    func packetSocketClosed() {
        close(MembershipError(.socketFailed, "the UDP socket of \(bound) was closed"))
    }

    func packetSocketFailed(_ error: any Error) {
        log.logger.warning("the UDP socket failed", metadata: ["error": "\(error)"])
    }

    // MARK: The core

    /// Hands something to the core and does what it says.
    func receive(_ input: Serf.Input) {
        guard !isClosed else { return }
        inputs.append(input)
        // An effect can cause an input; it waits until the effects before it are done.
        guard !isPerforming else { return }
        isPerforming = true
        var effects: [SerfEffect] = []
        while let input = inputs.popFirst(), !isClosed {
            core.receive(input, at: Self.now, into: &effects)
            perform(effects[...])
            effects.removeAll(keepingCapacity: true)
        }
        isPerforming = false
        arm()
    }

    private func perform(_ effects: ArraySlice<SerfEffect>) {
        for (index, effect) in zip(effects.indices, effects) where !isClosed {
            guard case .keyringChanged(let keyring) = effect else {
                perform(effect)
                continue
            }
            seal = PacketSeal(keys: keyring.keys, label: Array(settings.label.utf8))
            guard let keyringWriter else { continue }
            // A peer must not be told that a key is in place before it is on the disk.
            write(keyring, with: keyringWriter, then: Array(effects[(index + 1)...]))
            return
        }
    }

    private func write(
        _ keyring: Keyring, with writer: KeyringWriter, then effects: [SerfEffect]
    ) {
        writer.write(keyring.keys.map { GossipKey(checked: $0) }) { [weak self] error in
            guard let self, !self.isClosed else { return }
            guard let error else { return self.perform(effects[...]) }
            self.log.logger.error(
                "the keys could not be saved; the change is not confirmed",
                metadata: ["error": "\(error)"])
            self.perform(
                effects.filter { effect in
                    if case .swim(.send) = effect { false } else { true }
                }[...])
        }
    }

    private func perform(_ effect: SerfEffect) {
        switch effect {
        case .swim(let effect):
            perform(effect)
        case .event(let event):
            log.log(event)
            events.publish(event)
            membersChanged(event)
        case .queryProgress(let id, let progress):
            commands[id]?.progress(progress)
        case .ended(let id, let result):
            commands.removeValue(forKey: id)?.end(result.mapError(MembershipError.init))
        case .keyringChanged:
            preconditionFailure("keyrings are changed where the effects behind them can wait")
        case .stop(let reason):
            stop(reason)
        case .observe(let observation):
            count(observation)
            log.log(observation)
        }
    }

    private func stop(_ reason: StopReason) {
        switch reason {
        case .left:
            close()
        case .nameConflict(let agreeing, let answers):
            close(
                MembershipError(
                    .nameConflict,
                    "another node is named \(settings.name), and only \(agreeing) of \(answers)"
                        + " members know this one; give each node a name of its own"))
        }
    }

    // MARK: Time

    /// Sees to it that the core gets its tick.
    private func arm() {
        guard !isClosed, let deadline = core.nextDeadline else { return }
        // A timer that rings too early costs less than moving it each time.
        guard timer == nil || deadline < timerAt else { return }
        timer?.cancel()
        timerAt = deadline
        let at = NIODeadline.uptimeNanoseconds(UInt64(max(0, deadline.nanoseconds)))
        timer = eventLoop.assumeIsolated().scheduleTask(deadline: at) { [weak self] in
            self?.rang()
        }
    }

    private func rang() {
        timer = nil
        if let deadline = core.nextDeadline, deadline <= Self.now {
            receive(.tick)
        } else {
            arm()
        }
    }

    // MARK: Packets

    /// A packet came.
    func received(packet: ByteBuffer, from address: SocketAddress) {
        guard !isClosed, let peer = Endpoint(address) else { return }
        counts.packetsReceived += 1
        counts.packetBytesReceived += packet.readableBytes
        do {
            let plain = try seal.unseal(packet: Array(packet.readableBytesView))
            guard !filters(.incoming, peer, plain, isStream: false) else { return }
            receive(.packet(plain, from: peer))
        } catch {
            drop(DropReason(error), peer: peer)
        }
    }

    private func send(_ packet: [UInt8], to peer: Endpoint) {
        guard let packets, !filters(.outgoing, peer, packet, isStream: false) else { return }
        guard let address = peer.socketAddress(for: packets.family) else {
            return drop(.unsendable, peer: peer)
        }
        let sealed = seal.seal(packet: packet)
        switch packets.send(sealed, to: address) {
        case .sent:
            counts.packetsSent += 1
            counts.packetBytesSent += sealed.count
        case .full: drop(.sendBufferFull, peer: peer)
        case .refused: drop(.unsendable, peer: peer)
        }
    }

    // MARK: Streams

    private func perform(_ effect: SwimEffect) {
        switch effect {
        case .send(let packet, let peer):
            send(packet, to: peer)
        case .open(let id, let peer, let request, let timeout):
            dial(id, to: peer, request: request, timeout: timeout)
        case .reply(let id, let body):
            accepted[id]?.answer(body)
        case .close(let id):
            accepted[id]?.close()
            dialled.removeValue(forKey: id)?.close()
        case .observe(let observation):
            count(observation)
            log.log(observation)
        }
    }

    private func dial(_ id: StreamID, to peer: Endpoint, request: [UInt8], timeout: Duration) {
        counts.streamsDialled += 1
        metrics.streamsOut.increment()
        guard let address = peer.socketAddress else {
            return receive(.streamFailed(id, .unreachable("\(peer) cannot be dialled")))
        }
        guard !filters(.outgoing, peer, request, isStream: true) else {
            return receive(.streamFailed(id, .unreachable("a test wanted it so")))
        }
        guard let sealed = seal.seal(body: request, isDialled: true) else {
            drop(.tooLong, peer: peer)
            return receive(.streamFailed(id, .unreachable("the request is too long to encrypt")))
        }
        let stream = DialledStream(id: id, request: sealed, loop: self)
        dialled[id] = stream
        stream.dial(address, timeout: TimeAmount(timeout), on: eventLoop)
    }

    /// A peer opened a stream; `nil` if it is one too many.
    func accept() -> AcceptedStream? {
        guard !isClosed else { return nil }
        guard accepted.count < Self.streamsMax else {
            drop(.tooManyStreams, peer: nil)
            return nil
        }
        counts.streamsAccepted += 1
        metrics.streamsIn.increment()
        lastAccepted += 2
        let stream = AcceptedStream(id: StreamID(rawValue: lastAccepted), loop: self)
        accepted[stream.id] = stream
        return stream
    }

    /// An accepted stream is closed.
    func accepted(closed id: StreamID, wasAsking: Bool) {
        accepted.removeValue(forKey: id)
        if wasAsking { receive(.streamFailed(id, .closed)) }
    }

    /// An answer came on a stream that this node opened.
    func dialled(_ id: StreamID, answered body: [UInt8]) {
        guard dialled.removeValue(forKey: id) != nil else { return }
        receive(.answer(id, body))
    }

    /// A stream that this node opened gives no answer.
    func dialled(_ id: StreamID, failed reason: StreamFailure) {
        guard dialled.removeValue(forKey: id) != nil else { return }
        receive(.streamFailed(id, reason))
    }

    /// Whether streams may wait with so many bytes more.
    func mayHold(_ count: Int) -> Bool { streamBytes + count <= Self.streamBytesMax }

    func encode(streamMessage: SwimMessage) -> [UInt8] {
        StreamBody.encode(streamMessage, compress: settings.serf.swim.compress)
    }
}
