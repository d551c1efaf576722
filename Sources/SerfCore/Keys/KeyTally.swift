// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

/// Counts what the members say to a change or a listing of keys.
struct KeyTally: Sendable {
    /// How many keys a report names; more than all keyrings of honest members together hold.
    private static let keyCountMax = 1024

    /// Those who were alive when the question was asked and have not answered.
    private var missing: Set<String>
    private let expected: [String]
    private var answers: [KeyReport.Answer] = []
    private var keys: [String: Int] = [:]
    private var primaryKeys: [String: Int] = [:]

    /// - Parameter expected: The members that are alive.
    init(expected: [String]) {
        self.expected = expected.sorted()
        missing = Set(expected)
    }

    /// Whether everybody has answered who was asked.
    var isFull: Bool { missing.isEmpty }

    /// Takes an answer in; the first of its sender.
    mutating func take(_ response: QueryResponse) {
        missing.remove(response.from)
        guard let answer = Self.answer(in: response.payload) else {
            answers.append(
                .init(from: response.from, isSuccess: false, message: "the answer cannot be read"))
            return
        }
        answers.append(
            .init(from: response.from, isSuccess: answer.isSuccess, message: answer.message))
        for key in answer.keys { Self.count(key, in: &keys) }
        if !answer.primaryKey.isEmpty { Self.count(answer.primaryKey, in: &primaryKeys) }
    }

    private static func answer(in payload: [UInt8]) -> KeyResponse? {
        do {
            guard case .keyResponse(let answer) = try SerfMessage.decode(payload) else {
                return nil
            }
            return answer
        } catch {
            // Reported as an answer that says nothing.
            return nil
        }
    }

    private static func count(_ key: String, in counts: inout [String: Int]) {
        guard counts.count < keyCountMax || counts[key] != nil else { return }
        counts[key, default: 0] += 1
    }

    /// All that was said.
    var report: KeyReport {
        var report = KeyReport(memberCount: expected.count)
        report.answers = answers.sorted { $0.from < $1.from }
        report.missing = expected.filter(missing.contains)
        report.keys = keys.keys.sorted().map { .init(key: $0, count: keys[$0] ?? 0) }
        report.primaryKeys = primaryKeys.keys.sorted().map {
            .init(key: $0, count: primaryKeys[$0] ?? 0)
        }
        return report
    }
}
