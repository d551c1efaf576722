// SPDX-License-Identifier: Apache-2.0

/// The form of a log line.
public enum LogFormat: String, Sendable, CaseIterable {
    /// Text on a terminal, JSON elsewhere.
    case auto
    /// One JSON object a line.
    case json
    /// Text for people.
    case text
}
