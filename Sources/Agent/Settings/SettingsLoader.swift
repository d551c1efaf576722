// SPDX-License-Identifier: Apache-2.0

public import Faults

/// Reads a node's settings: flags over `CORDWOOD_*` variables over the file over the defaults.
public struct SettingsLoader: Sendable {
    /// Values by key from the command line, such as `listen.grpc.address`: `127.0.0.1:0`.
    public var flags: [String: String]
    /// The environment; other variables than `CORDWOOD_*` are left alone.
    public var environment: [String: String]
    /// The path of the YAML file, if there is one.
    public var file: String?
    /// The defaults: ``Settings/init()`` for `serve`, ``Settings/development`` for `dev`.
    public var defaults: Settings

    /// A loader of these.
    public init(
        flags: [String: String] = [:], environment: [String: String] = [:], file: String? = nil,
        defaults: Settings = Settings()
    ) {
        self.flags = flags
        self.environment = environment
        self.file = file
        self.defaults = defaults
    }

    /// The settings.
    ///
    /// - Throws: The first of what ``check()`` finds.
    public func load() throws(Fault) -> LoadedSettings { fatalError("contract") }

    /// Everything that is wrong; empty when all is well.
    ///
    /// Unknown keys with the nearest name, values of the wrong type or out of range, values that
    /// contradict each other.
    public func check() -> [Fault] { fatalError("contract") }
}

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

    /// A few words for people, such as `file cordwood.yaml:3`.
    public var description: String {
        switch self {
        case .defaults: "default"
        case .file(let path, let line?): "file \(path):\(line)"
        case .file(let path, nil): "file \(path)"
        case .environment(let variable): "environment \(variable)"
        case .flag: "flag"
        }
    }
}
