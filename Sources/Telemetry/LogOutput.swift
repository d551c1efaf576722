// SPDX-License-Identifier: Apache-2.0

public import Logging

/// Where log lines go, and what every line says.
public struct LogOutput: Sendable {
    /// Makes the process's loggers write to standard error. Call once, before the first logger.
    public static func bootstrap(
        format: LogFormat, level: Logger.Level, nodeID: String, version: String
    ) { fatalError("contract") }
}
