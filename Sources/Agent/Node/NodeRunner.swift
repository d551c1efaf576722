// SPDX-License-Identifier: Apache-2.0

public import Disk
internal import Dispatch
public import Faults
internal import Glibc
public import Logging
internal import Synchronization

/// Runs one node as the process's purpose, as `cordwood serve` and `cordwood dev` do.
public enum NodeRunner {
    /// Starts a node and serves until SIGTERM or SIGINT, then stops gracefully.
    ///
    /// A second signal ends the process at once, with 128 and the signal's number as its status;
    /// so does one while the node starts. Nothing that was acknowledged is lost by that. A stop
    /// that takes longer than `shutdown.grace` ends the process with 1.
    ///
    /// - Parameters:
    ///   - settings: What ``SettingsLoader`` gave.
    ///   - fileSystem: Where the data directory lies.
    ///   - logger: Told what happens.
    ///   - onReady: Called once, when clients can connect.
    /// - Throws: What ``Node/start(settings:fileSystem:logger:)`` and ``Node/run()`` throw.
    public static func run(
        settings: Settings, fileSystem: any FileSystem, logger: Logger,
        onReady: @Sendable (Node) -> Void
    ) async throws(Fault) {
        // Writing to a pipe or socket whose reader is gone is an error, not the end.
        signal(SIGPIPE, SIG_IGN)
        let stopper = Stopper(grace: settings.shutdownGrace, logger: logger)
        let signals = SignalWatch([SIGTERM, SIGINT]) { stopper.receive($0) }
        defer { signals.cancel() }

        let node = try await Node.start(
            settings: settings, fileSystem: fileSystem, logger: logger)
        stopper.manage(node)
        onReady(node)
        do {
            try await node.run()
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Fault(.internalError, "\(error)")
        }
        stopper.finish()
    }
}

/// Decides what a signal does.
private final class Stopper: Sendable {
    private enum State {
        case starting
        case serving(Node)
        case stopping
        case stopped
    }

    private enum Action {
        case stop(Node)
        case exit
        case nothing
    }

    private let state = Mutex(State.starting)
    private let grace: Duration
    private let logger: Logger

    init(grace: Duration, logger: Logger) {
        self.grace = grace
        self.logger = logger
    }

    func manage(_ node: Node) {
        state.withLock { $0 = .serving(node) }
    }

    func finish() {
        state.withLock { $0 = .stopped }
    }

    /// Runs on the signals' own queue, so that it works whatever else is stuck.
    func receive(_ number: Int32) {
        let action = state.withLock { state -> Action in
            switch state {
            case .starting, .stopping: return .exit
            case .stopped: return .nothing
            case .serving(let node):
                state = .stopping
                return .stop(node)
            }
        }
        switch action {
        case .stop(let node):
            let deadline = DispatchTime.now() + .milliseconds(Int(grace.milliseconds))
            DispatchQueue(label: "cordwood.grace").asyncAfter(deadline: deadline) {
                self.cut()
            }
            node.stop()
        case .exit: _exit(128 + number)
        case .nothing: break
        }
    }

    /// Ends the process if it is still stopping.
    private func cut() {
        guard case .stopping = state.withLock({ $0 }) else { return }
        logger.critical("the stop took too long and was cut", metadata: ["grace": "\(grace)"])
        _exit(1)
    }
}
