// SPDX-License-Identifier: Apache-2.0

internal import Agent
internal import ArgumentParser
internal import Faults

/// Says what is wrong with a command line, better than the parser does alone.
enum UsageError {
    /// The report of an error that the parser threw.
    static func report(_ error: any Error, arguments: [String]) -> ErrorReport {
        // What a verb's validation throws is ours already.
        if let fault = error as? Fault { return ErrorReport(fault) }
        let (path, command, rest) = resolve(arguments)
        let name = path.joined(separator: " ")
        if let word = rest.first, !word.hasPrefix("-"), !command.configuration.subcommands.isEmpty {
            return unknown(word, after: name, among: names(of: command))
        }
        var message = CordwoodCommand.message(for: error)
        if let line = message.split(separator: "\n").first { message = String(line) }
        if message.hasSuffix(".") { message.removeLast() }
        var report = ErrorReport(
            Fault(.invalidUsage, message.prefix(1).lowercased() + message.dropFirst()))
        report.why = "It is used as: \(usage(of: command, path))"
        report.remedy = "\(name) --help"
        return report
    }

    private static func unknown(
        _ word: String, after name: String, among names: [String]
    ) -> ErrorReport {
        var report = ErrorReport(
            Fault(.invalidUsage, "there is no command '\(name) \(word)'"))
        report.why = "The commands of \(name) are: \(names.joined(separator: ", "))."
        let nearest = NearestName.find(word, among: names)
        report.remedy = nearest.map { "\(name) \($0)" } ?? "\(name) --help"
        return report
    }

    /// The command that the arguments' first words name, and what stands behind.
    static func resolve(
        _ arguments: [String]
    ) -> (path: [String], command: any ParsableCommand.Type, rest: ArraySlice<String>) {
        var path = ["cordwood"]
        var command: any ParsableCommand.Type = CordwoodCommand.self
        var rest = arguments[...]
        while let word = rest.first,
            let next = command.configuration.subcommands.first(where: { $0.name == word })
        {
            path.append(word)
            command = next
            rest = rest.dropFirst()
        }
        return (path, command, rest)
    }

    private static func names(of command: any ParsableCommand.Type) -> [String] {
        command.configuration.subcommands
            .filter { $0.configuration.shouldDisplay }.map { $0.name }
    }

    private static func usage(of command: any ParsableCommand.Type, _ path: [String]) -> String {
        if let usage = command.configuration.usage { return usage }
        return path.joined(separator: " ")
            + (command.configuration.subcommands.isEmpty ? " [options]" : " COMMAND")
    }
}

extension ParsableCommand {
    /// The word that names the command.
    static var name: String { configuration.commandName ?? "" }
}
