// SPDX-License-Identifier: Apache-2.0

/// The tags of a member, as they travel in ``Alive/meta``.
///
///     ff  {name: value, …}        tags
///     any other first byte        all of it is the value of `role`, as Serf's protocol 2 has it
public enum Tags {
    /// The most bytes that a node may say of itself.
    ///
    /// Peers take more.
    public static let sizeMax = 512
    /// The most tags that are read.
    public static let countMax = 4096

    private static let magic: UInt8 = 0xff

    /// The bytes of tags, sorted by the bytes of their names.
    public static func encode(_ tags: [String: String]) -> [UInt8] {
        var writer = MessagePackWriter(type: magic)
        writer.write(tags)
        return writer.bytes
    }

    /// The tags that some bytes say.
    ///
    /// - Throws: ``WireError`` if a name or a value is not UTF-8, the map is cut short, or there are
    ///   more than ``countMax``.
    public static func decode(_ meta: [UInt8]) throws(WireError) -> [String: String] {
        guard meta.first == magic else {
            guard let role = String(validating: meta, as: UTF8.self) else {
                throw .malformed("a role is not UTF-8")
            }
            return ["role": role]
        }
        return try MessagePackReader.read(meta) { reader throws(WireError) in
            _ = try reader.byte()
            return try reader.tags()
        }
    }
}

extension MessagePackReader {
    /// A map of texts.
    ///
    /// Of two values for one name the last counts.
    mutating func tags() throws(WireError) -> [String: String] {
        let count = try mapCount()
        guard count <= Tags.countMax else { throw .tooLong(limit: Tags.countMax) }
        var tags: [String: String] = [:]
        for _ in 0..<count {
            let name = try text()
            tags[name] = try text()
        }
        return tags
    }
}

extension MessagePackWriter {
    /// A map of texts, sorted by the bytes of the names.
    mutating func write(_ tags: [String: String]) {
        writeMapHead(tags.count)
        let names = tags.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        for name in names {
            write(name)
            write(tags[name] ?? "")
        }
    }
}
