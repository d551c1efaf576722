// SPDX-License-Identifier: Apache-2.0

internal import Logging

/// A line for people.
enum TextLine {
    private enum Colour: String {
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
        case boldRed = "1;31"
    }

    /// The line with its newline.
    static func render(_ record: LogRecord, isColoured: Bool) -> String {
        let time = UTCTime.text(milliseconds: record.time)
        var line = paint(time, .dim, isColoured)
        line += " "
        line += paint(name(of: record.level), colour(of: record.level), isColoured)
        line += " "
        appendEscaped(record.message, to: &line)
        for field in record.fields {
            line += "  "
            var name = ""
            appendEscaped(field.name, to: &name)
            line += paint("\(name)=", .dim, isColoured)
            switch field.value {
            case .number(let number): line += "\(number)"
            case .string(let text): appendValue(text, to: &line)
            case .list(let texts):
                line += "["
                for (index, text) in texts.enumerated() {
                    if index > 0 { line += ", " }
                    appendValue(text, to: &line)
                }
                line += "]"
            }
        }
        line += "\n"
        return line
    }

    /// Five characters, so that messages stand below each other.
    private static func name(of level: Logger.Level) -> String {
        switch level {
        case .trace: "TRACE"
        case .debug: "DEBUG"
        case .info: "INFO "
        case .notice: "NOTE "
        case .warning: "WARN "
        case .error: "ERROR"
        case .critical: "CRIT "
        }
    }

    private static func colour(of level: Logger.Level) -> Colour {
        switch level {
        case .trace, .debug: .dim
        case .info: .green
        case .notice: .cyan
        case .warning: .yellow
        case .error: .red
        case .critical: .boldRed
        }
    }

    private static func paint(_ text: String, _ colour: Colour, _ isColoured: Bool) -> String {
        isColoured ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    private static func appendValue(_ text: String, to line: inout String) {
        let needsQuotes = text.isEmpty || text.contains { $0 == " " || $0 == "=" || $0 == "\"" }
        if needsQuotes { line += "\"" }
        appendEscaped(text, to: &line, quote: needsQuotes)
        if needsQuotes { line += "\"" }
    }

    private static func appendEscaped(
        _ text: String, to line: inout String, quote: Bool = false
    ) {
        for scalar in LineText.bounded(text).unicodeScalars {
            switch scalar {
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            case "\"" where quote: line += "\\\""
            case _ where LineText.isHarmful(scalar):
                line += "\\u{\(LineText.hexadecimal(scalar))}"
            default: line.unicodeScalars.append(scalar)
            }
        }
    }
}
