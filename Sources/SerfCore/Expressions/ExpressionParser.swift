// SPDX-License-Identifier: Apache-2.0

/// An expression as a tree.
///
/// Groups leave no trace: nobody asks what they matched.
indirect enum ExpressionNode: Sendable {
    /// Matches nothing at all, in the sense of zero scalars.
    case empty
    case take(ScalarSet)
    case assert(Expression.Assertion)
    case sequence([ExpressionNode])
    case choice([ExpressionNode])
    /// So many times; without `most` any number of times.
    case repeated(ExpressionNode, least: Int, most: Int?)
}

/// Reads an expression, from left to right.
struct ExpressionParser {
    /// How deep groups may lie in one another.
    private static let depthMax = 64
    /// How often something may be repeated by number.
    static let repeatMax = 1000

    /// The flags that hold from some place in a group to its end.
    private struct Flags {
        var ignoresCase = false
        var isMultiline = false
        var dotIsAll = false
    }

    private var input: ScalarReader
    private var flags = Flags()
    private var depth = 0

    init(_ text: String) {
        input = ScalarReader(text)
    }

    /// The whole expression.
    mutating func parse() throws(Expression.Problem) -> ExpressionNode {
        let node = try choice()
        // What is left can only be a bracket that nothing has opened.
        guard input.isAtEnd else { throw .syntax }
        return node
    }

    private mutating func choice() throws(Expression.Problem) -> ExpressionNode {
        var branches = [try sequence()]
        while input.take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws(Expression.Problem) -> ExpressionNode {
        var parts: [ExpressionNode] = []
        while let scalar = input.peek, scalar != "|", scalar != ")" {
            if let quotation = input.quotation() {
                // What is repeated behind it is its last scalar, as in RE2.
                parts += quotation.dropLast().map(literal)
                guard let last = quotation.last else { continue }
                parts.append(try repetition(of: literal(last)))
            } else if let atom = try atom() {
                parts.append(try repetition(of: atom))
            }
        }
        return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
    }

    // MARK: Repetition

    private mutating func repetition(
        of atom: ExpressionNode
    ) throws(Expression.Problem) -> ExpressionNode {
        guard let (least, most) = try bounds() else { return atom }
        // Lazy or not is the same to who only asks whether there is a match.
        _ = input.take("?")
        guard try bounds() == nil else { throw .syntax }
        return .repeated(atom, least: least, most: most)
    }

    private mutating func bounds() throws(Expression.Problem) -> (least: Int, most: Int?)? {
        if input.take("*") { return (0, nil) }
        if input.take("+") { return (1, nil) }
        if input.take("?") { return (0, 1) }
        let start = input
        guard input.take("{"), let least = input.number() else {
            input = start
            return nil
        }
        var most: Int? = least
        if input.take(",") { most = input.number() }
        guard input.take("}") else {
            // A brace that does not bound anything stands for itself.
            input = start
            return nil
        }
        guard least <= Self.repeatMax, most ?? least <= Self.repeatMax, most ?? least >= least
        else { throw .syntax }
        return (least, most)
    }

    // MARK: Atoms

    /// What can be repeated; `nil` for what leaves nothing behind, such as flags.
    private mutating func atom() throws(Expression.Problem) -> ExpressionNode? {
        guard let scalar = input.next() else { throw .syntax }
        switch scalar {
        case "(": return try group()
        case "[": return .take(try set())
        case ".": return .take(flags.dotIsAll ? .all : .notNewline)
        case "^": return .assert(flags.isMultiline ? .lineStart : .textStart)
        case "$": return .assert(flags.isMultiline ? .lineEnd : .textEnd)
        case "\\": return try escape()
        case "*", "+", "?": throw .syntax
        default: return literal(scalar)
        }
    }

    private func literal(_ scalar: Unicode.Scalar) -> ExpressionNode {
        var set = ScalarSet(scalar)
        set.ignoresCase = flags.ignoresCase
        return .take(set)
    }

    private mutating func group() throws(Expression.Problem) -> ExpressionNode? {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw .tooLarge }
        let outer = flags
        if input.take("?") {
            if try name() == false {
                guard try readFlags() else { return nil }
            }
        }
        let node = try choice()
        guard input.take(")") else { throw .syntax }
        flags = outer
        return node
    }

    /// Reads the name of a group, which nobody asks for; `false` if there is none.
    private mutating func name() throws(Expression.Problem) -> Bool {
        let start = input
        _ = input.take("P")
        guard input.take("<") else {
            input = start
            return false
        }
        var length = 0
        while let scalar = input.next(), scalar != ">" {
            guard ScalarSet.word.contains(scalar) else { throw .syntax }
            length += 1
        }
        guard length > 0 else { throw .syntax }
        return true
    }

    /// Reads flags.
    ///
    /// - Returns: Whether a group follows, in which alone they hold.
    private mutating func readFlags() throws(Expression.Problem) -> Bool {
        var value = true
        var changed = flags
        while let scalar = input.next() {
            switch scalar {
            case "i": changed.ignoresCase = value
            case "m": changed.isMultiline = value
            case "s": changed.dotIsAll = value
            case "U": break
            case "-" where value: value = false
            case ":", ")":
                flags = changed
                return scalar == ":"
            default: throw .syntax
            }
        }
        throw .syntax
    }

    private mutating func escape() throws(Expression.Problem) -> ExpressionNode? {
        switch input.peek {
        case "A": return assertion(.textStart)
        case "z": return assertion(.textEnd)
        case "b": return assertion(.wordBoundary)
        case "B": return assertion(.noWordBoundary)
        default: break
        }
        if let set = input.perlClass() { return .take(set) }
        return literal(try input.escapedScalar())
    }

    private mutating func assertion(_ assertion: Expression.Assertion) -> ExpressionNode {
        _ = input.next()
        return .assert(assertion)
    }

    // MARK: Classes

    private mutating func set() throws(Expression.Problem) -> ScalarSet {
        let isExcluding = input.take("^")
        var set = ScalarSet([])
        var isFirst = true
        while isFirst || input.peek != "]" {
            isFirst = false
            set = set.union(try classItem())
        }
        _ = input.next()
        set.ignoresCase = flags.ignoresCase
        set.isExcluding = isExcluding
        return set
    }

    private mutating func classItem() throws(Expression.Problem) -> ScalarSet {
        if let named = try input.posixClass() { return named }
        if input.peek == "\\" {
            let start = input
            _ = input.next()
            if let set = input.perlClass() { return set }
            input = start
        }
        let low = try classScalar()
        let start = input
        guard input.take("-"), input.peek != "]" else {
            input = start
            return ScalarSet(low)
        }
        let high = try classScalar()
        guard low <= high else { throw .syntax }
        return ScalarSet([low.value...high.value])
    }

    private mutating func classScalar() throws(Expression.Problem) -> Unicode.Scalar {
        guard let scalar = input.next() else { throw .syntax }
        return scalar == "\\" ? try input.escapedScalar() : scalar
    }
}
