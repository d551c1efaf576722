// SPDX-License-Identifier: Apache-2.0

internal import Logging

/// One JSON object a line, for programs.
enum JSONLine {
    /// Names that a field of metadata cannot take.
    private static let reserved: Set<String> = [
        "ts", "level", "msg", "logger", "node_id", "version",
    ]

    /// The line with its newline.
    static func render(_ record: LogRecord, identity: LogOutput.Identity) -> String {
        var line = "{"
        line.reserveCapacity(256)
        append("ts", .string(UTCTime.text(milliseconds: record.time)), to: &line)
        append("level", .string(record.level.rawValue), to: &line)
        append("msg", .string(record.message), to: &line)
        append("logger", .string(record.label), to: &line)
        append("node_id", .string(identity.nodeID), to: &line)
        append("version", .string(identity.version), to: &line)
        var names = reserved
        for field in record.fields {
            // A name twice in an object is read differently by different programs.
            let isFree = names.insert(field.name).inserted
            append(isFree ? field.name : "metadata.\(field.name)", field.value, to: &line)
        }
        line += "}\n"
        return line
    }

    private static func append(_ name: String, _ value: LogRecord.Value, to line: inout String) {
        if line.utf8.count > 1 { line += "," }
        appendQuoted(name, to: &line)
        line += ":"
        switch value {
        case .string(let text): appendQuoted(text, to: &line)
        case .number(let number): line += "\(number)"
        case .list(let texts):
            line += "["
            for (index, text) in texts.enumerated() {
                if index > 0 { line += "," }
                appendQuoted(text, to: &line)
            }
            line += "]"
        }
    }

    private static func appendQuoted(_ text: String, to line: inout String) {
        line += "\""
        for scalar in LineText.bounded(text).unicodeScalars {
            switch scalar {
            case "\"": line += "\\\""
            case "\\": line += "\\\\"
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            case _ where LineText.isHarmful(scalar):
                line += "\\u\(LineText.hexadecimal(scalar))"
            default: line.unicodeScalars.append(scalar)
            }
        }
        line += "\""
    }
}
