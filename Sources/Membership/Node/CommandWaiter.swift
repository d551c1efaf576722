// SPDX-License-Identifier: Apache-2.0

internal import SerfCore

/// Whoever waits for the end of a command.
struct CommandWaiter {
    /// Called once.
    var end: (Result<CommandOutcome, MembershipError>) -> Void
    /// Called with what comes in of a query before its end.
    var progress: (QueryProgress) -> Void = { _ in }
}
