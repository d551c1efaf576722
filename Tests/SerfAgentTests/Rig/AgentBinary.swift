// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A version of the real agent that is on this machine.
struct AgentBinary: Sendable, CustomTestStringConvertible {
    var command: String
    var path: String

    var testDescription: String { command }

    /// Debian's agent; every scenario needs it.
    static let first = AgentBinary(command: "serf")
    /// A newer agent; scenarios run against it as well where it is installed.
    static let second = AgentBinary(command: "serf-0.10")

    /// What scenarios run against.
    ///
    /// Without any agent it is the name of the missing one, so that they fail and say what to install.
    static let all: [AgentBinary] =
        [first ?? AgentBinary(command: "serf", path: ""), second].compactMap(\.self)

    private init(command: String, path: String) {
        self.command = command
        self.path = path
    }

    private init?(command: String) {
        let folders = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let candidates = folders.split(separator: ":").map { "\($0)/\(command)" }
        guard let path = candidates.first(where: FileManager.default.isExecutableFile) else {
            return nil
        }
        self.init(command: command, path: path)
    }

    func require() throws {
        guard !path.isEmpty else {
            throw Unexpected(
                description: "there is no \(command) on the PATH: run scripts/install-tools, or "
                    + "apt-get install serf")
        }
    }
}
