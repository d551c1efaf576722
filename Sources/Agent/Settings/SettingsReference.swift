// SPDX-License-Identifier: Apache-2.0

/// What is printed about settings, all from ``SettingsTable``.
public enum SettingsReference {
    /// A complete file with each key's meaning, range and default.
    public static func exampleYAML() -> String { fatalError("contract") }

    /// The page `docs/reference/settings.md`.
    public static func markdown() -> String { fatalError("contract") }
}
