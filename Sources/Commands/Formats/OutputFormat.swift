// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// How data is printed.
enum OutputFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
    /// Aligned columns, for people.
    case table
    /// One JSON value.
    case json
    /// One JSON object a line.
    case jsonl
}

/// The option `-o` of the commands that print data.
struct OutputOptions: ParsableArguments {
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("How to print data.", valueName: "format"))
    var format = OutputFormat.table
}
