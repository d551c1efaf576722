// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Faults

/// A command that does something, once its arguments were parsed.
protocol Verb: ParsableCommand, Sendable {
    /// Whether the verb itself listens to SIGINT and SIGTERM, as servers do.
    static var handlesSignals: Bool { get }

    /// Refuses arguments that do not go together.
    func check() throws(Fault)

    /// Does it.
    ///
    /// Everything outside is reached through the session. The task is cancelled by Ctrl-C.
    func perform(in session: Session) async throws
}

extension Verb {
    static var handlesSignals: Bool { false }
    func check() throws(Fault) {}
}

/// The discussion of a command: two examples to copy, then what else there is to say.
func examples(_ first: String, _ second: String, _ more: String = "") -> String {
    "  \(first)\n  \(second)" + (more.isEmpty ? "" : "\n\n\(more)")
}

/// Reads a value of an option, and says within the parser's own message why it cannot be.
func optionValue<Value>(_ read: () throws(Fault) -> Value) throws -> Value {
    do throws(Fault) {
        return try read()
    } catch {
        throw ValidationError(error.message + (error.hint.map { "; give \($0)" } ?? ""))
    }
}
