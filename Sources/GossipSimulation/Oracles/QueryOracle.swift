// SPDX-License-Identifier: Apache-2.0

internal import SerfCore

/// A query comes to each member at most once, and who has it is heard once.
struct QueryOracle {
    struct Asked {
        var node: String
        var command: UInt64
        var acks: [String] = []
        var responses: [String] = []
        /// Members whose application was told.
        var seenBy: [Int] = []
        var hasEnded = false
    }

    private(set) var asked: [Asked] = []
    private var numbers: [UInt64: Int] = [:]
    /// By node, in this life.
    private var arrived: [[Int]]

    init(nodeCount: Int) { arrived = Array(repeating: [], count: nodeCount) }

    mutating func started(_ node: Int) { arrived[node] = [] }

    /// Somebody is about to ask.
    ///
    /// - Returns: The query's number, which is its payload as well.
    mutating func ask(_ node: String, command: UInt64) -> Int {
        asked.append(Asked(node: node, command: command))
        numbers[command] = asked.count - 1
        return asked.count - 1
    }

    mutating func arrived(_ query: QueryEvent, at node: Int) throws(Violation) {
        guard let number = DeliveryOracle.number(query.payload), asked.indices ~= number else {
            throw Violation("n\(node) has a query that nobody has asked")
        }
        guard asked[number].node == query.from else {
            throw Violation(
                "n\(node) has query \(number) from \(query.from), asked by \(asked[number].node)")
        }
        guard !arrived[node].contains(number) else {
            throw Violation("n\(node) has query \(number) a second time")
        }
        arrived[node].append(number)
        asked[number].seenBy.append(node)
    }

    mutating func progress(
        _ command: UInt64, _ progress: QueryProgress, from asker: String
    ) throws(Violation) {
        guard let number = numbers[command], asked[number].node == asker, !asked[number].hasEnded
        else { throw Violation("\(asker) hears of a query that it does not have") }
        switch progress {
        case .ack(let from):
            guard !asked[number].acks.contains(from) else {
                throw Violation("\(asker) counts the ack of \(from) to query \(number) twice")
            }
            asked[number].acks.append(from)
        case .response(let from, let payload):
            guard !asked[number].responses.contains(from) else {
                throw Violation("\(asker) counts the answer of \(from) to query \(number) twice")
            }
            guard payload == Array("\(from) to ".utf8) + DeliveryOracle.payload(number) else {
                throw Violation("\(asker) has of \(from) another answer than it gave")
            }
            asked[number].responses.append(from)
        }
    }

    mutating func ended(
        _ number: Int, _ command: UInt64, _ result: Result<CommandOutcome, SerfError>,
        at asker: String
    ) throws(Violation) {
        asked[number].hasEnded = true
        numbers[command] = nil
        switch result {
        case .success(.answered(let result)):
            guard result.acks == asked[number].acks,
                result.responses.map(\.from) == asked[number].responses
            else {
                throw Violation(
                    "\(asker) ends query \(number) with \(result), and has told of "
                        + "\(asked[number].acks) and \(asked[number].responses)")
            }
        case .failure(.stopped), .failure(.notRunning), .failure(.queryTooLarge): break
        default: throw Violation("\(asker) ends query \(number) with \(result)")
        }
    }
}
