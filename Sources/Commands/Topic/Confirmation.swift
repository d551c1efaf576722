// SPDX-License-Identifier: Apache-2.0

internal import Faults

/// Asks before something is destroyed.
enum Confirmation {
    /// Asks a person to type a name.
    ///
    /// - Parameters:
    ///   - question: What will happen.
    ///   - name: What has to be typed.
    ///   - repeated: What to do where there is nobody to ask.
    /// - Throws: ``Faults/ErrorCode/notConfirmed`` unless the name was typed.
    static func ask(
        _ question: String, name: String, repeated: String, _ session: Session
    ) async throws {
        guard session.isInteractive else {
            throw Fault(.notConfirmed, "this must be confirmed", hint: repeated)
        }
        session.talk.write("\(question) Type \(name) to go on: ")
        let answer = try await session.input.read(upTo: 4096)
        let typed = String(decoding: answer.prefix { $0 != 0x0a && $0 != 0x0d }, as: UTF8.self)
        guard typed == name else {
            throw Fault(.notConfirmed, "\(name) was not typed, so nothing was done", hint: repeated)
        }
    }
}
