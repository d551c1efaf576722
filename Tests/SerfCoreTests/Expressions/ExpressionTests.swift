// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import SerfCore

@Suite struct ExpressionTests {
    private func occurs(_ expression: String, in text: String) -> Bool? {
        var work = Expression.workMax
        do {
            return try Expression(expression, work: &work).occurs(in: text, work: &work)
        } catch {
            return nil
        }
    }

    private func problem(_ expression: String, in text: String = "") -> Expression.Problem? {
        var work = Expression.workMax
        do throws(Expression.Problem) {
            _ = try Expression(expression, work: &work).occurs(in: text, work: &work)
            return nil
        } catch {
            return error
        }
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let expression: String
        let yes: [String]
        let no: [String]
        var testDescription: String { expression }

        init(_ expression: String, yes: [String], no: [String] = []) {
            self.expression = expression
            self.yes = yes
            self.no = no
        }
    }

    static let cases = [
        Case("", yes: ["", "a"]),
        Case("b", yes: ["b", "abc"], no: ["", "a", "B"]),
        Case("ab", yes: ["ab", "aab"], no: ["a b", "ba"]),
        Case("^ab", yes: ["abc"], no: ["cab"]),
        Case("ab$", yes: ["cab"], no: ["abc", "ab\n"]),
        Case("^$", yes: [""], no: ["a"]),
        Case("^ab$", yes: ["ab"], no: ["aab", "abb"]),
        Case("a.c", yes: ["abc", "aéc"], no: ["ac", "a\nc"]),
        Case("(?s)a.c", yes: ["a\nc"], no: ["ac"]),
        Case("^a*$", yes: ["", "aaa"], no: ["ab"]),
        Case("^a+$", yes: ["a", "aaa"], no: [""]),
        Case("^a?$", yes: ["", "a"], no: ["aa"]),
        Case("^a*?b+?c??$", yes: ["abc", "bb"], no: ["ac"]),
        Case("^a{2}$", yes: ["aa"], no: ["a", "aaa"]),
        Case("^a{2,}$", yes: ["aa", "aaaa"], no: ["a"]),
        Case("^a{1,3}$", yes: ["a", "aa", "aaa"], no: ["", "aaaa"]),
        Case("^a{0}$", yes: [""], no: ["a"]),
        Case("^(ab){2}$", yes: ["abab"], no: ["ab"]),
        Case("a{", yes: ["a{"], no: ["a"]),
        Case("a{,2}", yes: ["a{,2}"], no: ["aa"]),
        Case("a{x}", yes: ["a{x}"]),
        Case("^(a|b|)c$", yes: ["ac", "bc", "c"], no: ["abc"]),
        Case("^foo|bar$", yes: ["foox", "xbar"], no: ["xfoo", "barx"]),
        Case("^(?:foo|bar)$", yes: ["foo", "bar"], no: ["foobar"]),
        Case("^(?P<x>a)(?<y>b)$", yes: ["ab"]),
        Case("^[abc]$", yes: ["a", "c"], no: ["d", ""]),
        Case("^[a-cx]$", yes: ["b", "x"], no: ["d", "-"]),
        Case("^[^a-c]$", yes: ["d", "\n"], no: ["b", ""]),
        Case("^[]a]$", yes: ["]", "a"]),
        Case("^[^]a]$", yes: ["b"], no: ["]"]),
        Case("^[a-]$", yes: ["a", "-"], no: ["b"]),
        Case("^[-a]$", yes: ["a", "-"]),
        Case(#"^[\]\-]$"#, yes: ["]", "-"], no: ["\\"]),
        Case(#"^[\d_]+$"#, yes: ["1_2"], no: ["a"]),
        Case("^[[:alpha:]]+$", yes: ["abZ"], no: ["a1"]),
        Case("^[[:^digit:]]$", yes: ["a"], no: ["1"]),
        Case("^[[:punct:]]+$", yes: ["!/:@[`{~"], no: ["a"]),
        Case("^[[:xdigit:]]+$", yes: ["09afAF"], no: ["g"]),
        Case("^[[:space:]]+$", yes: [" \t\n\u{b}\u{c}\r"], no: ["a"]),
        Case(#"^\d\D\s\S\w\W$"#, yes: ["1a b_-"], no: ["aa b_-"]),
        Case(#"^\s+$"#, yes: [" \t\n\u{c}\r"], no: ["\u{b}"]),
        Case(#"^a\.b$"#, yes: ["a.b"], no: ["axb"]),
        Case(#"^\*\+\?\(\)\[\]\{\}\|\^\$\\\/\_$"#, yes: [#"*+?()[]{}|^$\/_"#]),
        Case(#"^\x41\x{1F600}\t\n$"#, yes: ["A😀\t\n"]),
        Case(#"^\Qa.b\E+$"#, yes: ["a.b", "a.bbb"], no: ["axb", "a.ba.b"]),
        Case(#"^\Q(*"#, yes: ["(*x"], no: ["("]),
        Case(#"\Afoo\z"#, yes: ["foo"], no: ["foo ", " foo"]),
        Case(#"\bfoo\b"#, yes: ["a foo b", "foo"], no: ["food", "afoo"]),
        Case(#"\Bo"#, yes: ["fo"], no: ["o"]),
        Case("(?m)^b$", yes: ["a\nb\nc"], no: ["ab"]),
        Case("(?i)web", yes: ["WEB", "wEb"], no: ["we"]),
        Case("(?i)É", yes: ["é"]),
        Case("(?i)[^a]", yes: ["b"], no: ["a", "A"]),
        Case("(?i:a)b", yes: ["Ab", "ab"], no: ["aB"]),
        Case("(?i)a(?-i)b", yes: ["Ab"], no: ["AB"]),
        Case("((?i)a)b", yes: ["Ab"], no: ["aB"]),
        Case("^(a*)*$", yes: ["", "aaa"], no: ["b"]),
        Case("^(a|b*)+c$", yes: ["aabbac", "c"], no: ["d"]),
        Case("^()*$", yes: [""]),
        Case("]}", yes: ["]}"]),
        Case("é", yes: ["café"], no: ["cafe"]),
        Case("^web-[0-9]{1,3}$", yes: ["web-1", "web-123"], no: ["web-", "web-1234"]),
    ]

    @Test("an expression is found where RE2 finds it", arguments: cases)
    func finds(_ it: Case) {
        for text in it.yes {
            #expect(occurs(it.expression, in: text) == true, "in \(text.debugDescription)")
        }
        for text in it.no {
            #expect(occurs(it.expression, in: text) == false, "in \(text.debugDescription)")
        }
    }

    @Test(
        "what RE2 does not read, and what we do not, is no expression",
        arguments: [
            "(", ")", "a)", "(a", "[", "[a", "[]", "[^]", "[b-a]", "[[:foo:]]", "*", "+a", "?",
            "a**", "a*+", "a+*", "a???", "a{2}{3}", "a{3,2}", "a{1001}", "a{1,1001}", "(*)",
            "|*", "(?=a)", "(?!a)", "(?<=a)", "(?P<>a)", "(?P<a", "(?P=a)", "(?x)a", "(?i",
            "(?--i)a", "(?i)*", #"\"#, #"\1"#, #"\8"#, #"\C"#, #"\Z"#, #"\G"#, #"\pL"#,
            #"\p{Greek}"#, #"\x4"#, #"\x{110000}"#, #"\x{}"#, #"[\b]"#, #"[a-\d]"#,
        ])
    func refuses(expression: String) {
        #expect(problem(expression) == .syntax)
    }

    @Test("an expression has a size, a depth and a number of states that it may not exceed")
    func bounds() {
        #expect(problem(String(repeating: "a", count: 1024)) == nil)
        #expect(problem(String(repeating: "a", count: 1025)) == .tooLarge)
        let nested = String(repeating: "(", count: 65) + String(repeating: ")", count: 65)
        #expect(problem(nested) == .tooLarge)
        #expect(problem("(a{1000}){3}") == .tooLarge)
        #expect(problem("((a{100}){100}){100}") == .tooLarge)
        #expect(problem("(((((a?){10}){10}){10}){10}){10}") == .tooLarge)
    }

    @Test("repetitions of nothing cost as well")
    func nothing() {
        #expect(problem("((((){1000}){1000}){1000}){1000}") == .tooMuchWork)
        #expect(problem("(((^{1000}){1000}){1000})") == .tooLarge)
    }

    @Test(
        "expressions that make others try for ever take time linear in the text",
        arguments: [
            "^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "^(.*)*x$", "^(a?){30}a{30}$", "(a*)*b",
            "^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y",
        ])
    func linear(expression: String) throws {
        func cost(_ count: Int) throws -> Int {
            var work = Expression.workMax
            let compiled = try Expression(expression, work: &work)
            let before = work
            _ = try compiled.occurs(in: String(repeating: "a", count: count) + "!", work: &work)
            return before - work
        }
        let (short, long) = (try cost(100), try cost(400))
        #expect(long < 5 * short, "\(short) steps for 100 characters, \(long) for 400")
    }

    @Test("work is bounded over all expressions of a query together")
    func sharedWork() {
        var work = Expression.workMax
        var failures = 0
        let text = String(repeating: "a", count: 500)
        for _ in 0..<1000 {
            do {
                let expression = try Expression("(a?){200}b", work: &work)
                _ = try expression.occurs(in: text, work: &work)
            } catch {
                failures += 1
            }
        }
        #expect(failures >= 999)
        #expect(work <= 0)
    }
}
