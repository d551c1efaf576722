// SPDX-License-Identifier: Apache-2.0

/// A regular expression that is looked for anywhere in a text, in time linear in both.
///
/// Queries carry expressions of other members, so none may hang the node: all states of the automaton
/// are followed at once ("Programming Techniques: Regular expression search algorithm", Thompson 1968),
/// and each step is paid for from a budget. The language is the part of RE2's that tags need: literals,
/// `.`, classes with ranges, Perl's and POSIX's classes, `* + ? {m,n}` and their lazy forms, `|`, groups,
/// `^ $ \A \z \b \B`, the flags `i m s U`, `\Q…\E` and the usual escapes. Not in it: classes of Unicode
/// (`\p`), octal escapes. What is not in RE2 is not here either: references, looking around.
struct Expression: Sendable {
    /// Why an expression is not used.
    enum Problem: Error, Sendable, Equatable {
        /// It cannot be read.
        case syntax
        /// It is too long, or needs too many states.
        case tooLarge
        /// The budget is used up.
        case tooMuchWork
    }

    /// What all expressions of one query may cost together: states made and states visited.
    ///
    /// Some milliseconds; honest ones cost a few thousand.
    static let workMax = 200_000
    /// How long an expression may be, in bytes.
    static let sizeMax = 1024
    /// How many states it may have.
    static let stateCountMax = 2048

    /// One state of the automaton.
    enum State: Sendable {
        /// Takes a scalar of the set and goes on to the next state.
        case take(ScalarSet)
        /// Goes on at both places.
        case split(Int, Int)
        /// Goes on there.
        case jump(Int)
        /// Goes on to the next state where this holds.
        case assert(Assertion)
        /// The expression was found.
        case found
    }

    /// What can hold between two scalars.
    enum Assertion: Sendable {
        case textStart
        case textEnd
        case lineStart
        case lineEnd
        case wordBoundary
        case noWordBoundary
    }

    private let states: [State]

    /// Reads an expression.
    ///
    /// - Parameter work: What may be spent; reduced by what was.
    init(_ text: String, work: inout Int) throws(Problem) {
        guard text.utf8.count <= Self.sizeMax else { throw .tooLarge }
        var parser = ExpressionParser(text)
        let node = try parser.parse()
        var builder = AutomatonBuilder(work: work)
        defer { work = builder.work }
        try builder.add(node)
        builder.states.append(.found)
        states = builder.states
    }

    /// Whether the expression occurs in a text.
    ///
    /// - Parameter work: What may be spent; reduced by what was.
    func occurs(in text: String, work: inout Int) throws(Problem) -> Bool {
        let scalars = Array(text.unicodeScalars)
        var search = Search(states: states)
        for position in 0...scalars.count {
            let before = position > 0 ? scalars[position - 1] : nil
            let after = position < scalars.count ? scalars[position] : nil
            let isFound = try search.step(before: before, after: after, work: &work)
            if isFound { return true }
        }
        return false
    }
}

/// The states in which an automaton is, all at once.
private struct Search {
    let states: [Expression.State]
    /// States to be entered at this position.
    private var next: [Int] = []
    /// By state, the position at which it was entered last, so that each is entered once.
    private var entered: [Int]
    private var position = 0
    private var pending: [Int] = []

    init(states: [Expression.State]) {
        self.states = states
        entered = Array(repeating: -1, count: states.count)
    }

    /// Enters all states that can be entered between two scalars, and takes the second one.
    ///
    /// - Returns: Whether the expression was found.
    mutating func step(
        before: Unicode.Scalar?, after: Unicode.Scalar?, work: inout Int
    ) throws(Expression.Problem) -> Bool {
        defer { position += 1 }
        // An occurrence may begin here.
        pending = next
        pending.append(0)
        next = []
        while let state = pending.popLast() {
            guard entered[state] < position else { continue }
            entered[state] = position
            work -= 1
            guard work > 0 else { throw .tooMuchWork }
            switch states[state] {
            case .found: return true
            case .jump(let place): pending.append(place)
            case .split(let first, let second):
                pending.append(second)
                pending.append(first)
            case .assert(let assertion):
                if assertion.holds(between: before, and: after) { pending.append(state + 1) }
            case .take(let set):
                if let after, set.contains(after) { next.append(state + 1) }
            }
        }
        return false
    }
}

extension Expression.Assertion {
    fileprivate func holds(between before: Unicode.Scalar?, and after: Unicode.Scalar?) -> Bool {
        switch self {
        case .textStart: before == nil
        case .textEnd: after == nil
        case .lineStart: before == nil || before == "\n"
        case .lineEnd: after == nil || after == "\n"
        case .wordBoundary: isWord(before) != isWord(after)
        case .noWordBoundary: isWord(before) == isWord(after)
        }
    }

    private func isWord(_ scalar: Unicode.Scalar?) -> Bool {
        scalar.map(ScalarSet.word.contains) ?? false
    }
}
