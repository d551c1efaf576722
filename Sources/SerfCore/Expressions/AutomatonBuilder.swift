// SPDX-License-Identifier: Apache-2.0

/// Makes the states of an expression.
struct AutomatonBuilder {
    private(set) var work: Int
    var states: [Expression.State] = []

    init(work: Int) {
        self.work = work
    }

    /// Adds the states of a part.
    ///
    /// From its last one the automaton goes on to whatever is added next.
    mutating func add(_ node: ExpressionNode) throws(Expression.Problem) {
        // Also what has no states costs, or repetitions of nothing would.
        work -= 1
        guard work > 0 else { throw .tooMuchWork }
        guard states.count < Expression.stateCountMax else { throw .tooLarge }
        switch node {
        case .empty: break
        case .take(let set): states.append(.take(set))
        case .assert(let assertion): states.append(.assert(assertion))
        case .sequence(let parts):
            for part in parts { try add(part) }
        case .choice(let branches): try add(choice: branches)
        case .repeated(let part, let least, let most):
            for _ in 0..<least { try add(part) }
            if let most {
                try add(part, upTo: most - least)
            } else {
                try add(loop: part)
            }
        }
    }

    private mutating func add(choice branches: [ExpressionNode]) throws(Expression.Problem) {
        var ends: [Int] = []
        for branch in branches.dropLast() {
            let fork = states.count
            states.append(.jump(0))
            try add(branch)
            ends.append(states.count)
            states.append(.jump(0))
            states[fork] = .split(fork + 1, states.count)
        }
        if let last = branches.last { try add(last) }
        for end in ends { states[end] = .jump(states.count) }
    }

    private mutating func add(
        _ part: ExpressionNode, upTo count: Int
    ) throws(Expression.Problem) {
        var forks: [Int] = []
        for _ in 0..<count {
            forks.append(states.count)
            states.append(.jump(0))
            try add(part)
        }
        for fork in forks { states[fork] = .split(fork + 1, states.count) }
    }

    private mutating func add(loop part: ExpressionNode) throws(Expression.Problem) {
        let fork = states.count
        states.append(.jump(0))
        try add(part)
        states.append(.jump(fork))
        states[fork] = .split(fork + 1, states.count)
    }
}
