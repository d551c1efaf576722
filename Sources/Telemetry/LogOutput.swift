// SPDX-License-Identifier: Apache-2.0

public import Logging

// What a process says about itself.
//
//     Logger ──▶ LineLogHandler ──▶ LogOutput ──▶ RepeatLimiter ──▶ JSONLine | TextLine ──▶ stderr
//
// `LogOutput` is shared by all loggers of a process; each line goes out in one write, so that lines
// of several threads, and of several processes on one pipe, do not mix.

/// Where log lines go, and what every line says.
public final class LogOutput: Sendable {
    /// What every line says beside its own.
    public struct Identity: Sendable, Equatable {
        /// The node's name.
        public var nodeID: String
        /// The version of the program.
        public var version: String

        /// An identity of these.
        public init(nodeID: String, version: String) {
            self.nodeID = nodeID
            self.version = version
        }
    }

    /// How a line is written.
    enum Style: Sendable, Equatable {
        case json
        case text(isColoured: Bool)
    }

    private let identity: Identity
    private let style: Style
    private let write: @Sendable (String) -> Void
    private let now: @Sendable () -> Int64
    private let limiter: RepeatLimiter

    /// An output of these.
    ///
    /// - Parameters:
    ///   - identity: What every line says.
    ///   - style: How a line is written.
    ///   - limiter: What holds repeats back.
    ///   - now: Milliseconds since 1970, UTC.
    ///   - write: Takes a whole line with its newline.
    init(
        identity: Identity, style: Style, limiter: RepeatLimiter = RepeatLimiter(),
        now: @escaping @Sendable () -> Int64 = SystemClock.milliseconds,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.identity = identity
        self.style = style
        self.limiter = limiter
        self.now = now
        self.write = write
    }

    /// An output on standard error.
    ///
    /// - Parameters:
    ///   - format: The form of a line.
    ///   - identity: What every line says.
    ///   - environment: Asked for `NO_COLOR` and `TERM`.
    public static func standardError(
        format: LogFormat, identity: Identity, environment: [String: String]
    ) -> LogOutput {
        LogOutput(
            identity: identity,
            style: style(
                format: format, isTerminal: StandardError.isTerminal, environment: environment),
            write: StandardError.write)
    }

    /// Makes the process's loggers write here; to be called once, before the first logger.
    public func bootstrap(level: Logger.Level) {
        LoggingSystem.bootstrap(
            { label, provider in
                self.handler(label: label, level: level, metadataProvider: provider)
            }, metadataProvider: nil)
    }

    /// A logger that writes here, whatever the process's loggers do.
    public func logger(label: String, level: Logger.Level = .info) -> Logger {
        Logger(label: label) { label in
            self.handler(label: label, level: level, metadataProvider: nil)
        }
    }

    /// Writes what was held back of repeats; for the end of the process.
    public func flush() {
        for summary in limiter.drain() { emit(summary.record, suppressed: summary.count) }
    }

    /// Colours are for terminals whose user did not refuse them (no-color.org).
    static func style(
        format: LogFormat, isTerminal: Bool, environment: [String: String]
    ) -> Style {
        let isColoured =
            isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        return switch format {
        case .json: .json
        case .text: .text(isColoured: isColoured)
        case .auto: isTerminal ? .text(isColoured: isColoured) : .json
        }
    }

    /// Writes a record, or counts it if it repeats others too often.
    func log(_ record: LogRecord) {
        let verdict = limiter.admit(record, at: record.time)
        for summary in verdict.summaries { emit(summary.record, suppressed: summary.count) }
        if verdict.isAdmitted { emit(record, suppressed: 0) }
    }

    /// The time for a record.
    func time() -> Int64 { now() }

    private func handler(
        label: String, level: Logger.Level, metadataProvider: Logger.MetadataProvider?
    ) -> LineLogHandler {
        LineLogHandler(
            label: label, output: self, logLevel: level, metadataProvider: metadataProvider)
    }

    private func emit(_ record: LogRecord, suppressed: Int) {
        var record = record
        if suppressed > 0 { record.fields.append(("suppressed", .number(suppressed))) }
        switch style {
        case .json: write(JSONLine.render(record, identity: identity))
        case .text(let isColoured): write(TextLine.render(record, isColoured: isColoured))
        }
    }
}
