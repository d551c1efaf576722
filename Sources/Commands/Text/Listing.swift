// SPDX-License-Identifier: Apache-2.0

/// Rows of named values: what `-o` prints as a table or as JSON.
struct Listing: Sendable, Equatable {
    /// One value of a row.
    struct Field: Sendable, Equatable {
        /// The name in JSON; the table's column has it in capitals.
        var name: String
        var json: JSON
        /// The value in a table; the column is left out where all rows have `nil`.
        var text: String?
        var isNumber: Bool

        static func text(_ name: String, _ value: String?) -> Field {
            Field(name: name, json: .text(value), text: value ?? "-", isNumber: false)
        }

        static func count(_ name: String, _ value: Int) -> Field {
            Field(name: name, json: .number(value), text: "\(value)", isNumber: true)
        }

        static func bytes(_ name: String, _ value: Int64) -> Field {
            Field(
                name: name, json: .number(value), text: HumanText.bytes(Double(value)),
                isNumber: true)
        }

        static func flag(_ name: String, _ value: Bool) -> Field {
            Field(name: name, json: .bool(value), text: value ? "yes" : "no", isNumber: false)
        }

        /// A value that only JSON shows, as it would be too long for a table.
        static func hidden(_ name: String, _ json: JSON) -> Field {
            Field(name: name, json: json, text: nil, isNumber: false)
        }
    }

    /// All rows have the same names in the same order.
    var rows: [[Field]]

    init(_ rows: [[Field]]) { self.rows = rows }

    /// The rows as aligned columns with a line of titles.
    func table() -> String {
        guard let first = rows.first else { return "" }
        let columns = first.indices.filter { column in rows.contains { $0[column].text != nil } }
        let titles = columns.map { column in
            first[column].name.uppercased().replacing("_", with: "-")
        }
        var lines = [titles]
        lines += rows.map { row in columns.map { Self.printable(row[$0].text ?? "") } }
        let widths = titles.indices.map { column in
            lines.map { $0[column].count }.max() ?? 0
        }
        return lines.map { line in
            var text = ""
            for (position, cell) in line.enumerated() {
                let isNumber = first[columns[position]].isNumber
                text +=
                    isNumber
                    ? cell.leftPadded(to: widths[position])
                    : cell.rightPadded(to: widths[position])
                text += "  "
            }
            while text.hasSuffix(" ") { text.removeLast() }
            return text + "\n"
        }.joined()
    }

    /// The rows as objects.
    var objects: [JSON] {
        rows.map { row in .object(row.map { .init($0.name, $0.json) }) }
    }

    /// The rows in a format.
    func text(as format: OutputFormat) -> String {
        switch format {
        case .table: table()
        case .json: Self.array(objects)
        case .jsonl: objects.map { $0.text + "\n" }.joined()
        }
    }

    /// One value a line, so that an array can be read by people too.
    static func array(_ values: [JSON]) -> String {
        if values.isEmpty { return "[]\n" }
        return "[\n" + values.map { "  \($0.text)" }.joined(separator: ",\n") + "\n]\n"
    }

    /// The text without what could move a terminal's cursor.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isHarmful) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if isHarmful(scalar) {
                result += scalar.escaped(asASCII: true)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
