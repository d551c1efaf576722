// SPDX-License-Identifier: Apache-2.0

internal import Configuration
public import Faults

/// Reads a node's settings: flags over `CORDWOOD_*` variables over the file over the defaults.
public struct SettingsLoader: Sendable {
    /// `CORDWOOD_*` variables that are no settings: the command line reads them.
    public static let commandVariables: Set<String> = ["CORDWOOD_CONFIG", "CORDWOOD_SERVER"]

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
        self.environment = environment.filter { $0.key.hasPrefix("CORDWOOD_") }
        self.file = file
        self.defaults = defaults
    }

    /// The settings.
    ///
    /// - Throws: The first of what ``check()`` finds.
    public func load() throws(Fault) -> LoadedSettings {
        let (loaded, faults) = read()
        if let fault = faults.first { throw fault }
        return loaded
    }

    /// Everything that is wrong; empty when all is well.
    ///
    /// Unknown keys with the nearest name, values of the wrong type or out of range, values that
    /// contradict each other.
    public func check() -> [Fault] {
        read().faults
    }

    private func read() -> (loaded: LoadedSettings, faults: [Fault]) {
        var faults: [Fault] = []
        var settingsFile: SettingsFile?
        if let file {
            do {
                settingsFile = try SettingsFile(path: file)
            } catch {
                faults.append(error)
            }
        }
        faults += unknownKeys(in: settingsFile)

        let layers = layers(over: settingsFile)
        var settings = defaults
        var entries: [LoadedSettings.Entry] = []
        for definition in SettingsTable.definitions {
            var source = SettingSource.defaults
            do {
                if let found = try value(of: definition, in: layers) {
                    source = found.source(definition)
                    try definition.write(found.text, &settings)
                }
            } catch {
                faults.append(refusal(of: definition, at: source, error, in: layers))
            }
            let value = definition.isSecret ? "***" : definition.read(settings)
            entries.append(.init(key: definition.key, value: value, source: source))
        }
        let loaded = LoadedSettings(settings: settings, entries: entries)
        // Contradictions between values that were refused one by one would only confuse.
        return (loaded, faults.isEmpty ? SettingsRules.broken(in: loaded) : faults)
    }
}

// MARK: - Layers

extension SettingsLoader {
    /// One place where values come from.
    private struct Layer {
        var values: any ConfigSnapshot
        var source: (SettingDefinition) -> SettingSource
    }

    private struct Found {
        var text: String
        var source: (SettingDefinition) -> SettingSource
    }

    /// The strongest first.
    private func layers(over file: SettingsFile?) -> [Layer] {
        let flagValues = Dictionary(
            uniqueKeysWithValues: flags.map { key, text in
                (Self.configKey(key), ConfigValue(.string(text), isSecret: false))
            })
        var layers = [
            Layer(
                values: InMemoryProvider(name: "flags", values: flagValues).snapshot(),
                source: { _ in .flag }),
            Layer(
                values: EnvironmentVariablesProvider(environmentVariables: environment)
                    .prefixKeys(with: "cordwood").snapshot(),
                source: { .environment(variable: $0.variable) }),
        ]
        if let file, let values = file.values {
            layers.append(
                Layer(
                    values: values,
                    source: { .file(path: file.path, line: file.line(of: $0.key)) }))
        }
        return layers
    }

    private func value(of definition: SettingDefinition, in layers: [Layer]) throws -> Found? {
        let key = Self.configKey(definition.key)
        for layer in layers {
            if let text = try Self.text(of: definition, key, in: layer.values) {
                return Found(text: text, source: layer.source)
            }
        }
        return nil
    }

    private static func text(
        of definition: SettingDefinition, _ key: AbsoluteConfigKey, in values: any ConfigSnapshot
    ) throws -> String? {
        do {
            let value = try values.value(forKey: key, type: .string).value
            return if case .string(let text)? = value?.content { text } else { nil }
        } catch  where definition.takesList {
            let value = try values.value(forKey: key, type: .stringArray).value
            guard case .stringArray(let texts)? = value?.content else { return nil }
            return texts.joined(separator: ", ")
        }
    }

    private static func configKey(_ key: String) -> AbsoluteConfigKey {
        AbsoluteConfigKey(key.split(separator: ".").map(String.init))
    }
}

// MARK: - Refusals

extension SettingsLoader {
    private func refusal(
        of definition: SettingDefinition, at source: SettingSource, _ error: any Error,
        in layers: [Layer]
    ) -> Fault {
        guard let mismatch = error as? SettingDefinition.Mismatch else {
            // Only the file has types, and the only wrong one is a list where none may stand.
            let place = layers.last.map { "\($0.source(definition))" } ?? ""
            return Fault(
                .invalidValue, "\(place): \(definition.key) is a list",
                hint: "Give one value: \(definition.range).")
        }
        // An error cannot occur: the value was read a moment ago.
        let text = definition.isSecret ? "***" : (try? value(of: definition, in: layers))?.text
        return Fault(
            .invalidValue, "\(source): \(definition.key) cannot be '\(text ?? "")'",
            hint: "Give \(mismatch.expected).")
    }

    private func unknownKeys(in file: SettingsFile?) -> [Fault] {
        let names = SettingsTable.definitions.map(\.key)
        var faults: [Fault] = []
        for key in file?.keys ?? [] where !names.contains(key.name) {
            let source = SettingSource.file(path: file?.path ?? "", line: key.line)
            faults.append(Self.unknown(key.name, "\(source)", among: names))
        }
        let variables = SettingsTable.definitions.map(\.variable)
        for variable in environment.keys.sorted() {
            guard !variables.contains(variable), !Self.commandVariables.contains(variable),
                !Self.isServiceLink(variable)
            else { continue }
            faults.append(Self.unknown(variable, "environment", among: variables))
        }
        for key in flags.keys.sorted() where !names.contains(key) {
            faults.append(Self.unknown(key, "flag", among: names))
        }
        return faults
    }

    private static func unknown(_ name: String, _ place: String, among names: [String]) -> Fault {
        let nearest = NearestName.find(name, among: names)
        return Fault(
            .unknownKey, "\(place): there is no key \(name)",
            hint: nearest.map { "Did you mean \($0)?" })
    }

    /// Whether Kubernetes set a variable because a service is called cordwood: every container
    /// beside it gets such as `CORDWOOD_PORT_8400_TCP_ADDR`.
    static func isServiceLink(_ variable: String) -> Bool {
        let name = variable.dropFirst("CORDWOOD_".count)
        return name == "PORT" || name == "SERVICE_HOST" || name.hasPrefix("SERVICE_PORT")
            || name.hasPrefix("PORT_")
    }
}
