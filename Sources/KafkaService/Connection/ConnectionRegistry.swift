// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore

/// The connections of one event loop, and its clock of seconds.
///
/// One timer serves them all, so that a thousand idle connections cost nothing.
///
/// Owned by the event loop.
final class ConnectionRegistry {
    /// Seconds since the listener began.
    private(set) var seconds: Int64 = 0
    private var connections: [ObjectIdentifier: KafkaConnection] = [:]
    private var timer: RepeatedTask?
    private var refusalsThisSecond = 0
    private var refusalsUnsaid = 0
    private(set) var isDraining = false

    /// The most lines a second about clients that did something wrong.
    private static let refusalLinesMax = 10

    /// Begins to tick.
    func begin(on loop: any EventLoop, logger: Logger) {
        let me = NIOLoopBound(self, eventLoop: loop)
        timer = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            me.value.tick(logger)
        }
    }

    private func tick(_ logger: Logger) {
        seconds += 1
        refusalsThisSecond = 0
        if refusalsUnsaid > 0 {
            logger.notice(
                "more Kafka connections were closed for what they sent",
                metadata: ["count": "\(refusalsUnsaid)"])
            refusalsUnsaid = 0
        }
        for connection in connections.values { connection.tick() }
    }

    func add(_ connection: KafkaConnection) {
        connections[ObjectIdentifier(connection)] = connection
        if isDraining { connection.drain() }
    }

    /// Whether no connection is left.
    var isEmpty: Bool { connections.isEmpty }

    func remove(_ connection: KafkaConnection) {
        connections[ObjectIdentifier(connection)] = nil
    }

    /// Lets all connections finish what is under way, and no more.
    func drain() {
        isDraining = true
        for connection in connections.values { connection.drain() }
    }

    /// Closes what is left and ends the clock.
    func end() {
        isDraining = true
        timer?.cancel()
        for connection in connections.values { connection.context?.close(promise: nil) }
    }

    /// Says in the log what a client did wrong, but not more often than anybody reads.
    func logRefusal(
        _ logger: Logger, _ message: Logger.Message, reason: String, host: String, software: String
    ) {
        refusalsThisSecond += 1
        guard refusalsThisSecond <= Self.refusalLinesMax else {
            refusalsUnsaid += 1
            return
        }
        logger.notice(
            message,
            metadata: [
                "client": "\(host)", "software": "\(software.isEmpty ? "unknown" : software)",
                "reason": "\(reason)",
            ])
    }
}
