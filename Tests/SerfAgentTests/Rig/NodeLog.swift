// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// Keeps what a node of ours writes to its log, the newest lines of it.
final class NodeLog: Sendable {
    private static let linesMax = 5_000
    private let lines = Mutex<[String]>([])

    var logger: Logger {
        var logger = Logger(label: "serf") { _ in Handler(log: self) }
        logger.logLevel = .debug
        return logger
    }

    func containing(_ text: String) -> [String] {
        lines.withLock { lines in lines.filter { $0.contains(text) } }
    }

    func tail(_ count: Int) -> String {
        lines.withLock { lines in lines.suffix(count).map { "\n    \($0)" }.joined() }
    }

    private func append(_ line: String) {
        lines.withLock { lines in
            lines.append(line)
            if lines.count > Self.linesMax { lines.removeFirst(Self.linesMax / 2) }
        }
    }

    private struct Handler: LogHandler {
        let log: NodeLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let details = (event.metadata ?? [:]).sorted { $0.key < $1.key }
                .map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            log.append("\(event.level): \(event.message) \(details)")
        }
    }
}
