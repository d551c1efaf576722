// SPDX-License-Identifier: Apache-2.0

internal import Faults
internal import Logging

/// One thing to say, before it becomes a line.
struct LogRecord: Sendable {
    /// What a field holds.
    enum Value: Sendable, Equatable {
        case string(String)
        case number(Int)
        case list([String])
    }

    /// Milliseconds since 1970, UTC.
    var time: Int64
    var level: Logger.Level
    var message: String
    var label: String
    /// By name; nested metadata has names with dots.
    var fields: [(name: String, value: Value)]

    init(_ event: LogEvent, metadata: Logger.Metadata, label: String, time: Int64) {
        self.time = time
        level = event.level
        message = event.message.description
        self.label = label
        fields = []
        // Sorted, because a dictionary's order differs from run to run and lines are compared.
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            flatten(value, under: key)
        }
        if let error = event.error {
            if let fault = error as? Fault {
                fields.append(("error", .string(fault.message)))
                fields.append(("err_code", .string(fault.code.text)))
            } else {
                fields.append(("error", .string("\(error)")))
            }
        }
    }

    private mutating func flatten(_ value: Logger.MetadataValue, under name: String) {
        switch value {
        case .string(let text): fields.append((name, .string(text)))
        case .stringConvertible(let convertible):
            fields.append((name, Self.value(of: convertible)))
        case .array(let values): fields.append((name, .list(values.map(\.description))))
        case .dictionary(let values):
            for (key, value) in values.sorted(by: { $0.key < $1.key }) {
                flatten(value, under: "\(name).\(key)")
            }
        }
    }

    /// Numbers stay numbers, so that a log store can compare them.
    private static func value(of convertible: any CustomStringConvertible & Sendable) -> Value {
        if let number = convertible as? any FixedWidthInteger,
            let number = Int(exactly: number)
        {
            .number(number)
        } else {
            .string(convertible.description)
        }
    }
}
