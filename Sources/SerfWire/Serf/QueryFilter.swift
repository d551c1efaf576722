// SPDX-License-Identifier: Apache-2.0

/// Who a query is for. Each filter travels as bytes of its own:
///
///     00  [name, name …]          these nodes
///     01  {Expr, Tag}             whoever has a tag that the expression matches
public enum QueryFilter: Sendable, Hashable {
    /// The nodes of these names.
    case nodes([String])
    /// Members whose tag has a value that the regular expression matches somewhere; a missing tag
    /// counts as empty.
    case tag(name: String, expression: String)
    /// A filter of a kind that is not known, or that cannot be read: nobody here is meant.
    case unknown([UInt8])

    /// The filter that some bytes say.
    init(_ bytes: [UInt8]) {
        do throws(WireError) {
            self = try MessagePackReader.read(bytes) { reader throws(WireError) in
                switch try reader.byte() {
                case 0: .nodes(try Self.names(from: &reader))
                case 1: try Self.tag(from: &reader)
                default: .unknown(bytes)
                }
            }
        } catch {
            // Not for us, as a filter of an unknown kind; the query goes on to others as it came.
            self = .unknown(bytes)
        }
    }

    private static func names(from reader: inout MessagePackReader) throws(WireError) -> [String] {
        var names: [String] = []
        for _ in 0..<(try reader.arrayCount()) { names.append(try reader.text()) }
        return names
    }

    private static func tag(from reader: inout MessagePackReader) throws(WireError) -> QueryFilter {
        var (name, expression) = ("", "")
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "Tag": name = try reader.text()
            case "Expr": expression = try reader.text()
            default: try reader.skip()
            }
        }
        return .tag(name: name, expression: expression)
    }

    /// The bytes of this filter.
    func encoded() -> [UInt8] {
        switch self {
        case .nodes(let names):
            var writer = MessagePackWriter(type: 0, capacity: 32)
            writer.writeArrayHead(names.count)
            for name in names { writer.write(name) }
            return writer.bytes
        case .tag(let name, let expression):
            var writer = MessagePackWriter(type: 1, capacity: 32)
            writer.writeMapHead(2)
            writer.writeKey("Expr")
            writer.write(expression)
            writer.writeKey("Tag")
            writer.write(name)
            return writer.bytes
        case .unknown(let bytes):
            return bytes
        }
    }
}
