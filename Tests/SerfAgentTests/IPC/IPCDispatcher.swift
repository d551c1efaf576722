// SPDX-License-Identifier: Apache-2.0

/// Sorts what an agent sends back: which answer, error or record belongs to which request.
struct IPCDispatcher {
    enum Outcome: Equatable {
        case answered(UInt64, PackValue?)
        case refused(UInt64, String, PackValue?)
        case record(UInt64, PackValue)
    }

    private enum Expectation {
        case answer(IPCRequest.Answer)
        case records
    }

    private var reader = PackReader()
    private var expected: [UInt64: Expectation] = [:]
    /// The header whose body has not come yet.
    private var header: (sequence: UInt64, error: String)?

    /// Refusals that come before a command is looked at, and so without its body.
    private static let beforeCommand: Set<String> = [
        "Handshake required", "Authentication required", "Unsupported command",
    ]

    mutating func expect(_ answer: IPCRequest.Answer, for sequence: UInt64) {
        expected[sequence] = .answer(answer)
    }

    mutating func receive(_ bytes: [UInt8]) throws -> [Outcome] {
        reader.append(bytes)
        var outcomes: [Outcome] = []
        while let value = try reader.next() {
            if let outcome = try take(value) { outcomes.append(outcome) }
        }
        return outcomes
    }

    private mutating func take(_ value: PackValue) throws -> Outcome? {
        if let (sequence, error) = header {
            header = nil
            if case .records? = expected[sequence] { return .record(sequence, value) }
            expected[sequence] = nil
            return error.isEmpty ? .answered(sequence, value) : .refused(sequence, error, value)
        }
        guard let number = value["Seq"]?.integer, let error = value["Error"]?.text,
            let sequence = UInt64(exactly: number)
        else { throw PackReader.Malformed(description: "no header: \(value)") }
        switch expected[sequence] {
        case .records:
            header = (sequence, error)
            return nil
        case .answer(let answer):
            return complete(sequence, answer, error: error)
        case nil:
            throw PackReader.Malformed(description: "an answer to nothing asked: \(value)")
        }
    }

    private mutating func complete(
        _ sequence: UInt64, _ answer: IPCRequest.Answer, error: String
    ) -> Outcome? {
        let hasBody =
            switch answer {
            case .header, .records: false
            case .body: error.isEmpty
            case .bodyAlways: !Self.beforeCommand.contains(error)
            }
        if hasBody {
            header = (sequence, error)
            return nil
        }
        guard error.isEmpty else {
            expected[sequence] = nil
            return .refused(sequence, error, nil)
        }
        if case .records = answer {
            expected[sequence] = .records
        } else {
            expected[sequence] = nil
        }
        return .answered(sequence, nil)
    }
}
