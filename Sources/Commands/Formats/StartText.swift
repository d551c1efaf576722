// SPDX-License-Identifier: Apache-2.0

internal import Agent
internal import CordwoodClient
internal import Faults

/// Where to begin, as it is typed: `start`, `end`, `-10`, `1234`, `@2026-01-31T10:00Z`, `@-15m`.
enum StartText: Sendable, Equatable {
    /// A place that needs no clock.
    case position(StartPosition)
    /// So many milliseconds ago.
    case ago(milliseconds: Int64)

    /// Reads a text.
    init(_ text: String) throws(Fault) {
        switch text {
        case "start", "earliest", "beginning": self = .position(.start)
        case "end", "latest": self = .position(.end)
        case _ where text.hasPrefix("@-"):
            guard let milliseconds = SettingText.milliseconds(String(text.dropFirst(2))) else {
                throw Self.refusal(text)
            }
            self = .ago(milliseconds: milliseconds)
        case _ where text.hasPrefix("@"):
            guard let time = TimeText.time(String(text.dropFirst())) else {
                throw Self.refusal(text)
            }
            self = .position(.timestamp(time))
        case _ where text.hasPrefix("-"):
            guard let count = Int(text.dropFirst()), count >= 0 else { throw Self.refusal(text) }
            self = .position(.last(count))
        default:
            guard let offset = Int64(text), offset >= 0, text.first != "+" else {
                throw Self.refusal(text)
            }
            self = .position(.offset(Offset(offset)))
        }
    }

    /// Reads the value of an option.
    static func option(_ text: String) throws -> StartText {
        try optionValue { () throws(Fault) in try StartText(text) }
    }

    /// The place, at a time of now.
    func position(now: Timestamp) -> StartPosition {
        switch self {
        case .position(let position): position
        case .ago(let milliseconds):
            .timestamp(Timestamp(milliseconds: now.rawValue - milliseconds))
        }
    }

    private static func refusal(_ text: String) -> Fault {
        Fault(
            .invalidUsage, "'\(text)' is no place in a log",
            hint: "start, end, -10 (the last ten), 1234 (an offset), @2026-01-31T10:00Z or @-15m")
    }
}
