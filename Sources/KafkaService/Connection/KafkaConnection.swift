// SPDX-License-Identifier: Apache-2.0

internal import DequeModule
internal import KafkaProtocol
internal import Logging
internal import NIOCore

/// One client's connection: frames in, answers out in the same order.
///
/// ```
/// bytes ──▶ received ──frame──▶ begin ──▶ under way ──answer──▶ row of answers ──▶ bytes
/// ```
///
/// Requests are carried out one at a time, as clients expect of Kafka, but for produce requests: those
/// that follow each other are all begun at once, and their batches keep their order in the partition's
/// inbox. Frames that cannot begin yet stay where they are, and the socket is read no further while
/// too much is under way, so a client that does not wait for answers is slowed down by TCP.
///
/// Owned by the connection's event loop.
final class KafkaConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let handlers: RequestHandlers
    let settings: KafkaSettings
    let budget: ServerBudget
    let logger: Logger
    let registry: ConnectionRegistry

    private(set) var context: ChannelHandlerContext?
    private var received = ByteBuffer()
    private var underWay: Deque<UnderWay> = []
    private var nextID: UInt64 = 0
    /// Bytes that came, of requests that are not answered: counted in the budget too.
    private var bytesHeld = 0
    /// Bytes of the request that is coming that were counted in the budget before they came: who reads
    /// on has room for all of it, so that requests cannot all stop in the middle for want of room.
    private var bytesForeseen = 0
    /// A request that could not be begun whole holds back those behind it.
    var isHeldByRequest = false
    private var readIsHeld = false
    private var waitsForBudget = false
    /// How fast the bytes of a request have to come in the long run.
    private static let bytesPerSecondMin = 32 << 10
    /// What a connection may hold, and how large an answer may be, even when all of them together hold too much.
    private static let bytesFree = 64 << 10

    private var isBeginning = false
    private var isClosing = false
    private var isDraining = false
    /// In seconds of the registry's clock.
    private var lastActivity: Int64 = 0
    private var frameBegan: Int64?
    private var hasAsked = false

    /// What the client says that it is, from ApiVersions.
    var software = ""
    var clientHost = ""
    /// Where the client is told to reach this node.
    private(set) var advertised = KafkaSettings.Address(host: "localhost", port: 9092)
    /// The fetch session that the client keeps over this connection.
    var session: FetchSession?
    /// The fetches under way, by the number of their request.
    var fetches: [UInt64: FetchCall] = [:]
    /// The join under way: nobody waits for it any more once the connection is gone.
    var joining: Task<Void, Never>?

    /// A request that was begun and whose answer was not sent.
    private struct UnderWay {
        var id: UInt64
        var bytes: Int
        var isProduce: Bool
        var answer: AnswerBytes?
        /// Asked to end with what it has, in seconds of the registry's clock.
        var deadline: Int64
        var expire: (@Sendable () -> Void)?
    }

    init(
        handlers: RequestHandlers, budget: ServerBudget, registry: ConnectionRegistry
    ) {
        self.handlers = handlers
        settings = handlers.settings
        self.budget = budget
        self.registry = registry
        logger = handlers.logger
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelActive(context: ChannelHandlerContext) {
        clientHost = context.remoteAddress?.ipAddress ?? "unknown"
        advertised = settings.advertised ?? Self.reached(context.localAddress)
        lastActivity = registry.seconds
        registry.add(self)
        context.fireChannelActive()
    }

    /// The address that a client has reached: it can do so again, from wherever it is.
    private static func reached(_ address: SocketAddress?) -> KafkaSettings.Address {
        var host = address?.ipAddress ?? "localhost"
        // IPv4 through an IPv6 socket.
        if host.hasPrefix("::ffff:"), host.contains(".") { host = String(host.dropFirst(7)) }
        return KafkaSettings.Address(host: host, port: Int32(clamping: address?.port ?? 9092))
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosing = true
        registry.remove(self)
        for fetch in fetches.values { fetch.cancel() }
        fetches = [:]
        joining?.cancel()
        joining = nil
        budget.giveBack(bytesHeld + bytesForeseen)
        bytesHeld = 0
        bytesForeseen = 0
        underWay = []
        // Those who wait to call back keep the connection, but not what it holds.
        received = ByteBuffer()
        session = nil
        self.context = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The peer went away, or the socket broke; either way there is nobody to tell.
        logger.debug(
            "a Kafka connection broke",
            metadata: ["client": "\(clientHost)", "error": "\(error)"])
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        var bytes = unwrapInboundIn(data)
        let size = bytes.readableBytes
        let foreseen = min(size, bytesForeseen)
        bytesHeld += size
        bytesForeseen -= foreseen
        budget.take(size - foreseen)
        if received.readableBytes == 0 {
            received = bytes
        } else {
            received.writeBuffer(&bytes)
        }
        beginRequests()
    }

    func read(context: ChannelHandlerContext) {
        if shouldHoldReading() { readIsHeld = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { goOn() }
        context.fireChannelWritabilityChanged()
    }

    private func shouldHoldReading() -> Bool {
        if isClosing || isDraining { return true }
        // What cannot be begun now need not be here in full; nor what stands behind such a request,
        // whether its answer, the client or a partition's queue is waited for.
        if bytesHeld > settings.connectionBytesMax, !underWay.isEmpty || hasWholeFrame {
            return true
        }
        // Small requests go on whatever the large ones do.
        if bytesHeld <= Self.bytesFree || bytesForeseen > 0 { return false }
        guard !waitsForBudget, let context else { return true }
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        let missing = bytesMissing
        let hasRoom = budget.take(foreseen: missing) { loop.execute { me.value.roomCame() } }
        if hasRoom { bytesForeseen = missing }
        waitsForBudget = !hasRoom
        return !hasRoom
    }

    private func roomCame() {
        waitsForBudget = false
        goOn()
    }

    /// Begins what waits and reads on, if either is possible now.
    func goOn() {
        guard !isClosing, let context else { return }
        beginRequests()
        guard readIsHeld, !shouldHoldReading() else { return }
        readIsHeld = false
        context.read()
    }

    // MARK: Requests

    private func beginRequests() {
        // An answer that comes at once leads back here; the loop below goes on by itself.
        guard !isBeginning else { return }
        isBeginning = true
        defer { isBeginning = false }
        while !isClosing, !isDraining, let frame = takeFrame() { begin(frame) }
        if received.readableBytes == 0 {
            // A large request's memory is not kept for the next.
            if received.storageCapacity > 1 << 20 {
                received = ByteBuffer()
            } else {
                received.clear()
            }
        }
        // A whole request that has to wait does so for the server's or its own sake.
        if received.readableBytes == 0 || hasWholeFrame {
            frameBegan = nil
        } else if frameBegan == nil {
            frameBegan = registry.seconds
        }
    }

    private var hasWholeFrame: Bool {
        frameSize.map { received.readableBytes >= $0 } ?? false
    }

    /// Bytes that the request at hand lacks.
    private var bytesMissing: Int {
        frameSize.map { max(0, $0 - received.readableBytes) } ?? 0
    }

    /// What the request at hand takes, as far as it is known.
    private var frameSize: Int? {
        received.getInteger(at: received.readerIndex, as: Int32.self).map { 4 + Int($0) }
    }

    /// The next whole frame, without its length, if it can be begun now.
    private func takeFrame() -> ByteBuffer? {
        guard let length = received.getInteger(at: received.readerIndex, as: Int32.self) else {
            return nil
        }
        guard length > 0, Int(length) <= settings.requestBytesMax else {
            close(because: Self.describe(badLength: length, max: settings.requestBytesMax))
            return nil
        }
        let total = 4 + Int(length)
        guard received.readableBytes >= total else {
            // Room for all of it at once, unless the client has yet to show that it means it.
            if total <= max(1 << 20, 2 * received.readableBytes) {
                received.reserveCapacity(minimumWritableBytes: total - received.readableBytes)
            }
            return nil
        }
        let key = received.getInteger(at: received.readerIndex + 4, as: Int16.self)
        guard canBegin(isProduce: key == ApiKey.produce.rawValue) else { return nil }
        received.moveReaderIndex(forwardBy: 4)
        frameBegan = nil
        return received.readSlice(length: Int(length))
    }

    private func canBegin(isProduce: Bool) -> Bool {
        guard !isHeldByRequest, context?.channel.isWritable == true else { return false }
        return underWay.isEmpty || (isProduce && underWay.allSatisfy(\.isProduce))
    }

    private func begin(_ frame: ByteBuffer) {
        guard let context else { return }
        lastActivity = registry.seconds
        hasAsked = true
        nextID += 1
        underWay.append(
            UnderWay(
                id: nextID, bytes: 4 + frame.readableBytes, isProduce: false, deadline: Int64.max))
        dispatch(
            frame, id: nextID, on: context.eventLoop,
            bound: NIOLoopBound(self, eventLoop: context.eventLoop))
    }

    /// Says of a request that was begun just now how it may go on.
    func note(
        _ id: UInt64, isProduce: Bool = false, deadlineSeconds: Int64? = nil,
        expire: (@Sendable () -> Void)? = nil
    ) {
        // Whoever answers at once is not in the row any more.
        guard let place = underWay.lastIndex(where: { $0.id == id }) else { return }
        underWay[place].isProduce = isProduce
        if let deadlineSeconds { underWay[place].deadline = registry.seconds + deadlineSeconds }
        underWay[place].expire = expire
    }

    // MARK: Answers

    /// Takes the answer to a request, and sends what is next in the row.
    func complete(_ id: UInt64, _ answer: AnswerBytes) {
        guard !isClosing, let place = underWay.firstIndex(where: { $0.id == id }) else { return }
        precondition(underWay[place].answer == nil, "a request is answered once")
        underWay[place].answer = answer
        underWay[place].expire = nil
        var isSent = false
        while let first = underWay.first, let answer = first.answer {
            underWay.removeFirst()
            bytesHeld -= first.bytes
            // Meanwhile it may not have been read from.
            if frameBegan != nil { frameBegan = registry.seconds }
            budget.giveBack(first.bytes)
            switch answer {
            case .buffers(let buffers):
                write(buffers)
                isSent = true
            case .nothing: break
            case .close(let reason):
                context?.flush()
                close(because: reason)
                return
            }
        }
        if isSent { context?.flush() }
        lastActivity = registry.seconds
        if isDraining { closeIfDone() } else { goOn() }
    }

    /// Writes an answer; a large one counts as under way until the client has taken it.
    private func write(_ buffers: [ByteBuffer]) {
        guard let context else { return }
        let size = buffers.reduce(0) { $0 + $1.readableBytes }
        var promise: EventLoopPromise<Void>?
        if size > Self.bytesFree {
            let budget = budget
            budget.take(size)
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.whenComplete { _ in budget.giveBack(size) }
            promise = written
        }
        for (number, buffer) in buffers.enumerated() {
            let isLast = number == buffers.count - 1
            context.write(wrapOutboundOut(buffer), promise: isLast ? promise : nil)
        }
    }

    // MARK: The end

    /// Ends the connection for something that the client did, and says what in the log.
    func close(because reason: String) {
        guard !isClosing else { return }
        isClosing = true
        registry.logRefusal(
            logger, "closed a Kafka connection", reason: reason, host: clientHost,
            software: software)
        context?.close(promise: nil)
    }

    /// Takes no more requests, and closes once what may have been stored is acknowledged.
    ///
    /// Fetches are answered with what there is; other requests are cut, and asked again elsewhere.
    func drain() {
        guard !isDraining else { return }
        isDraining = true
        for fetch in fetches.values { fetch.expire() }
        closeIfDone()
    }

    private func closeIfDone() {
        guard !isClosing, fetches.isEmpty, !underWay.contains(where: \.isProduce) else { return }
        isClosing = true
        context?.close(promise: nil)
    }

    /// Looks at the deadlines; called about once a second.
    func tick() {
        let now = registry.seconds
        for request in underWay where now >= request.deadline { request.expire?() }
        let idle = now - lastActivity
        // So long at once, and as much longer as a slow line takes for what has come.
        let patience =
            settings.requestTimeMax / 1000 + Int64(received.readableBytes / Self.bytesPerSecondMin)
        if let frameBegan, underWay.isEmpty, now - frameBegan > patience {
            close(
                because: """
                    a request has not come in full after \(now - frameBegan) s: \
                    \(received.readableBytes) bytes of it are here\
                    \(waitsForBudget ? ", and there is no room for the rest" : "")
                    """)
        } else if !hasAsked, idle > settings.requestTimeMax / 1000 {
            close(because: "no request within \(settings.requestTimeMax) ms of connecting")
        } else if underWay.isEmpty, idle > settings.idleMax / 1000 {
            isClosing = true
            logger.debug("closed an idle Kafka connection", metadata: ["client": "\(clientHost)"])
            context?.close(promise: nil)
        }
    }

    private static func describe(badLength length: Int32, max: Int) -> String {
        switch UInt32(bitPattern: length) {
        case 0x1603_0000...0x1603_04ff: "a TLS handshake came to a listener without TLS"
        // "GET ", "POST", "HEAD", "PUT ".
        case 0x4745_5420, 0x504f_5354, 0x4845_4144, 0x5055_5420: "an HTTP request came, not Kafka's"
        case 0x5052_4920: "an HTTP/2 preface came: gRPC has a port of its own"
        default: "a request claims \(length) bytes; 1 to \(max) are allowed"
        }
    }
}
