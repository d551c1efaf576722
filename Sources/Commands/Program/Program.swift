// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Faults
internal import Foundation
internal import Glibc

/// The program: arguments in, an exit status out.
public enum Program {
    /// Runs the process's own arguments and ends the process.
    public static func main() async -> Never {
        let session = Session.process()
        // A reader that goes away is seen as an error of the write, and is no failure.
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(ProcessInfo.processInfo.arguments.dropFirst())
        Foundation.exit(await run(arguments, in: session).rawValue)
    }

    /// Runs arguments, without the program's name in front.
    public static func run(_ arguments: [String], in session: Session) async -> ProgramStatus {
        let command: any ParsableCommand
        do {
            command = try CordwoodCommand.parseAsRoot(arguments)
        } catch {
            return await refuse(error, arguments, session)
        }
        guard let verb = command as? any Verb else {
            // A group of commands: say which there are.
            return await show(help(for: arguments, session), session)
        }
        if type(of: verb).handlesSignals || !session.isProcess {
            return await perform(verb, session)
        }
        return await Interruption.cancelling { await perform(verb, session) }
    }

    /// Performs a verb, and says what went wrong if something did.
    static func perform(_ verb: any Verb, _ session: Session) async -> ProgramStatus {
        let failure: any Error
        do {
            try verb.check()
            try await verb.perform(in: session)
            session.talk.endProgress()
            return .success
        } catch {
            failure = error
        }
        session.talk.endProgress()
        switch failure {
        case is Output.ReaderIsGone: return .success
        case let outcome as Outcome: return outcome.status
        // What fails once the task is cancelled fails because of that.
        case _ where Task.isCancelled: return .interrupted
        default:
            let report = ErrorReport(failure)
            guard report.status != .interrupted else { return .interrupted }
            session.talk.write(report.text(isColoured: session.talk.isColoured))
            return report.status
        }
    }

    /// Answers arguments that did not parse: help that was asked for, or what is wrong.
    private static func refuse(
        _ error: any Error, _ arguments: [String], _ session: Session
    ) async -> ProgramStatus {
        guard CordwoodCommand.exitCode(for: error) != .success else {
            let text = CordwoodCommand.fullMessage(for: error, columns: session.helpWidth)
            return await show(text + "\n", session)
        }
        let report = UsageError.report(error, arguments: arguments)
        session.talk.write(report.text(isColoured: session.talk.isColoured))
        return report.status
    }

    private static func help(for arguments: [String], _ session: Session) -> String {
        let command = UsageError.resolve(arguments).command
        return CordwoodCommand.helpMessage(for: command, columns: session.helpWidth) + "\n"
    }

    private static func show(_ text: String, _ session: Session) async -> ProgramStatus {
        // A reader of help that goes away has seen enough.
        try? await session.output.write(text)
        return .success
    }
}

/// Ends a verb that has said all there is to say with a status of its own.
struct Outcome: Error {
    var status: ProgramStatus
}
