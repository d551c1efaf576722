// SPDX-License-Identifier: Apache-2.0

internal import Configuration
internal import Faults
internal import FoundationEssentials
internal import Yams

/// A YAML file of settings: where each key stands in it, and its values.
struct SettingsFile {
    /// A key that the file has, with the line that it stands on.
    struct Key: Equatable {
        var name: String
        var line: Int?
        /// A list stands where a value should.
        var isList = false
    }

    /// No file of settings is this large; one that is was given by mistake.
    static let sizeMax = 1 << 20
    /// More keys than this come from aliases that multiply themselves.
    private static let keysMax = 1000

    let path: String
    /// All keys, nested ones with dots, in the file's order.
    private(set) var keys: [Key] = []
    /// Their values; `nil` for a file without any.
    private(set) var values: (any ConfigSnapshot)?

    /// Reads a file.
    init(path: String) throws(Fault) {
        self.path = path
        let bytes = try Self.read(path)
        do {
            guard let root = try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self)) else {
                return
            }
            guard case .mapping(let mapping) = root else {
                throw Fault(
                    .configurationUnreadable, "\(path): expected keys and values at the top level")
            }
            try collect(mapping, under: "")
            values = try YAMLSnapshot(
                data: bytes.span.bytes, providerName: path, parsingOptions: .default)
        } catch let fault as Fault {
            throw fault
        } catch let error as YamlError {
            throw Fault(.configurationUnreadable, "\(path):\(Self.describe(error))")
        } catch {
            throw Fault(.configurationUnreadable, "\(path): \(error)")
        }
    }

    /// The line that a key stands on.
    func line(of name: String) -> Int? {
        keys.first { $0.name == name }?.line
    }

    private mutating func collect(_ mapping: Yams.Node.Mapping, under prefix: String) throws(Fault)
    {
        for (key, value) in mapping {
            guard let word = key.string else {
                throw Fault(
                    .configurationUnreadable, "\(place(key.mark)): a key must be a text")
            }
            let name = prefix.isEmpty ? word : "\(prefix).\(word)"
            switch value {
            case .mapping(let inner): try collect(inner, under: name)
            case .scalar(let scalar) where Self.isSection(name) && scalar.string.isEmpty: continue
            case .scalar, .alias: try add(Key(name: name, line: key.mark?.line))
            case .sequence: try add(Key(name: name, line: key.mark?.line, isList: true))
            }
        }
    }

    private mutating func add(_ key: Key) throws(Fault) {
        if let first = keys.first(where: { $0.name == key.name }) {
            throw Fault(
                .configurationUnreadable,
                "\(path):\(key.line ?? 0): \(key.name) stands on line \(first.line ?? 0) already")
        }
        guard keys.count < Self.keysMax else {
            throw Fault(.configurationUnreadable, "\(path): more than \(Self.keysMax) keys")
        }
        keys.append(key)
    }

    /// Whether keys stand below a name, so that nothing may stand right behind it.
    private static func isSection(_ name: String) -> Bool {
        SettingsTable.definitions.contains { $0.key.hasPrefix("\(name).") }
    }

    private func place(_ mark: Mark?) -> String {
        mark.map { "\(path):\($0.line)" } ?? path
    }

    /// Reads what a path names: links are followed, since a container's settings are one.
    private static func read(_ path: String) throws(Fault) -> [UInt8] {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            let reason =
                switch (error as? CocoaError)?.code {
                case .fileReadNoSuchFile?: "no such file"
                case .fileReadNoPermission?: "permission denied"
                default: "\(error)"
                }
            throw Fault(.configurationUnreadable, "cannot read \(path): \(reason)")
        }
        guard data.count <= sizeMax else {
            throw Fault(.configurationUnreadable, "\(path) is larger than \(sizeMax) bytes")
        }
        return [UInt8](data)
    }

    /// The line, and what is wrong there.
    private static func describe(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            "\(mark.line): not YAML: \(problem)"
        case .duplicatedKeysInMapping(let duplicates, let context):
            "\(context.mark.line): a key stands twice: \(duplicates.joined(separator: ", "))"
        case .reader(let problem, _, _, _): " not YAML: \(problem)"
        default: " not YAML: \(error)"
        }
    }
}
