// SPDX-License-Identifier: Apache-2.0

public import Disk
public import Faults
public import Logging

/// Runs one node as the process's purpose, as `cordwood serve` and `cordwood dev` do.
public enum NodeRunner {
    /// Starts a node and serves until SIGTERM or SIGINT, then stops gracefully.
    ///
    /// A second signal ends the process at once, with 128 and the signal's number as its status.
    ///
    /// - Parameter onReady: Called once, when clients can connect.
    public static func run(
        settings: Settings, fileSystem: any FileSystem, logger: Logger,
        onReady: @Sendable (Node) -> Void
    ) async throws(Fault) { fatalError("contract") }
}
