// SPDX-License-Identifier: Apache-2.0

import CordwoodClient
import Foundation
import Synchronization

@testable import Commands

/// A session whose output is kept and whose input is given.
final class CapturedSession: Sendable {
    private let outputBytes = Mutex<[UInt8]>([])
    private let talkText = Mutex("")
    private let inputBytes: Mutex<ArraySlice<UInt8>>
    private let isTerminal: Bool
    private let environment: [String: String]

    /// The time of every session.
    static let now = Timestamp(milliseconds: 1_769_853_600_000)  // 2026-01-31T10:00:00Z

    init(
        input: [UInt8] = [], isTerminal: Bool = false, environment: [String: String] = [:]
    ) {
        inputBytes = Mutex(input[...])
        self.isTerminal = isTerminal
        self.environment = environment
    }

    convenience init(typing text: String) {
        self.init(input: Array(text.utf8), isTerminal: true)
    }

    /// What a verb sees.
    var session: Session {
        Session(
            output: Output(isTerminal: isTerminal) { bytes in
                self.outputBytes.withLock { $0 += bytes }
            },
            talk: Talk(isTerminal: isTerminal, isColoured: false) { text in
                self.talkText.withLock { $0 += text }
            },
            input: Input(name: "the test", isTerminal: isTerminal) { count in
                // Small pieces, so that records fall across their ends.
                self.inputBytes.withLock { bytes in
                    let piece = bytes.prefix(min(count, 7))
                    bytes = bytes.dropFirst(piece.count)
                    return Array(piece)
                }
            },
            environment: environment, now: { Self.now })
    }

    /// Runs a command line.
    func run(_ arguments: String...) async -> ProgramStatus {
        await Program.run(arguments, in: session)
    }

    /// What stands on the standard output.
    var output: String { String(decoding: bytes, as: UTF8.self) }
    /// What stands on the standard output, as bytes.
    var bytes: [UInt8] { outputBytes.withLock { $0 } }
    /// What stands on the standard error.
    var talk: String { talkText.withLock { $0 } }

    /// The standard output as JSON.
    func json() throws -> Any {
        try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    }
}
