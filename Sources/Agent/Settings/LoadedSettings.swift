// SPDX-License-Identifier: Apache-2.0

/// Settings, and where each came from.
public struct LoadedSettings: Sendable, Equatable {
    /// The settings.
    public var settings: Settings
    /// Each key's value and source, in the order of the reference page.
    public var entries: [Entry]

    /// One key as `cordwood config show` prints it.
    public struct Entry: Sendable, Equatable {
        /// The key, such as `log.level`.
        public var key: String
        /// The value as it would be written in the file; `***` for a secret.
        public var value: String
        /// Where the value came from.
        public var source: SettingSource
    }
}

/// Where a setting's value came from.
public enum SettingSource: Sendable, Equatable, CustomStringConvertible {
    case defaults
    case file(path: String, line: Int?)
    case environment(variable: String)
    case flag

    /// A few words for people, such as `cordwood.yaml:3`.
    public var description: String {
        switch self {
        case .defaults: "default"
        case .file(let path, let line?): "\(path):\(line)"
        case .file(let path, nil): path
        case .environment(let variable): "environment \(variable)"
        case .flag: "flag"
        }
    }
}
