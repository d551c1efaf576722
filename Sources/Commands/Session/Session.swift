// SPDX-License-Identifier: Apache-2.0

public import CordwoodClient
internal import Foundation
internal import Glibc

/// All that a verb touches of the world around it.
public struct Session: Sendable {
    /// Where data goes.
    public var output: Output
    /// Where people are spoken to.
    public var talk: Talk
    /// What is piped or typed in.
    public var input: Input
    /// The variables of the environment.
    public var environment: [String: String]
    /// The time of the wall.
    public var now: @Sendable () -> Timestamp
    /// When the program began.
    public var began = ContinuousClock.now
    /// Whether the session is a process's own, so that signals are for it.
    public var isProcess = false

    /// A session of these.
    public init(
        output: Output, talk: Talk, input: Input, environment: [String: String] = [:],
        now: @escaping @Sendable () -> Timestamp = Session.clock
    ) {
        self.output = output
        self.talk = talk
        self.input = input
        self.environment = environment
        self.now = now
    }

    /// The session of this process.
    static func process() -> Session {
        let environment = ProcessInfo.processInfo.environment
        var session = Session(
            output: .descriptor(STDOUT_FILENO), talk: .standardError(environment: environment),
            input: .descriptor(STDIN_FILENO, name: "the standard input"), environment: environment)
        session.isProcess = true
        return session
    }

    /// The time of this machine.
    public static let clock: @Sendable () -> Timestamp = {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }

    /// Columns that help is wrapped to.
    var helpWidth: Int { 88 }

    /// Whether a person can be asked something.
    var isInteractive: Bool { input.isTerminal && talk.isTerminal }
}
