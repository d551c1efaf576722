// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// `cordwood completion`.
struct CompletionCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "completion",
        abstract: "Print the script that completes commands in a shell.",
        discussion: examples(
            "cordwood completion bash > ~/.local/share/bash-completion/completions/cordwood",
            "cordwood completion fish > ~/.config/fish/completions/cordwood.fish"))

    /// A shell that completion is known for.
    enum Shell: String, Sendable, CaseIterable, ExpressibleByArgument {
        case bash
        case zsh
        case fish
    }

    @Argument(help: "bash, zsh or fish.")
    var shell: Shell

    func perform(in session: Session) async throws {
        let known: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        try await session.output.write(CordwoodCommand.completionScript(for: known) + "\n")
    }
}
