// SPDX-License-Identifier: Apache-2.0

/// The payload of a query that changes keys, or lists them (with no key).
public struct KeyRequest: Sendable, Hashable {
    /// The key itself, 16, 24 or 32 bytes.
    public var key: [UInt8]

    public init(key: [UInt8]) {
        self.key = key
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(key: [])
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "Key": key = try reader.data()
            default: try reader.skip()
            }
        }
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(1)
        writer.writeKey("Key")
        writer.write(key)
    }
}

extension KeyRequest: CustomStringConvertible, CustomReflectable {
    /// The length of the key, never the key.
    public var description: String { "KeyRequest(key: \(key.count) bytes)" }
    /// Nothing, so that no dump shows the key either.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// What a member answers to a query about keys.
public struct KeyResponse: Sendable, Hashable {
    public var isSuccess: Bool
    /// Why it failed, or what was left out.
    public var message: String
    /// The keys that the member has, in Base64; only if they were asked for.
    public var keys: [String]
    /// The key that it encrypts with, in Base64; empty if it was not asked for.
    public var primaryKey: String

    public init(isSuccess: Bool, message: String, keys: [String], primaryKey: String) {
        self.isSuccess = isSuccess
        self.message = message
        self.keys = keys
        self.primaryKey = primaryKey
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(isSuccess: false, message: "", keys: [], primaryKey: "")
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "Result": isSuccess = try reader.bool()
            case "Message": message = try reader.text()
            case "Keys":
                keys = []
                for _ in 0..<(try reader.arrayCount()) { keys.append(try reader.text()) }
            case "PrimaryKey": primaryKey = try reader.text()
            default: try reader.skip()
            }
        }
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(4)
        writer.writeKey("Keys")
        if keys.isEmpty {
            writer.writeNil()
        } else {
            writer.writeArrayHead(keys.count)
            for key in keys { writer.write(key) }
        }
        writer.writeKey("Message")
        writer.write(message)
        writer.writeKey("PrimaryKey")
        writer.write(primaryKey)
        writer.writeKey("Result")
        writer.write(isSuccess)
    }
}

extension KeyResponse: CustomStringConvertible, CustomReflectable {
    /// The outcome and how many keys there are, never the keys.
    public var description: String {
        "KeyResponse(isSuccess: \(isSuccess), message: \(message), keys: \(keys.count))"
    }
    /// Nothing, so that no dump shows the keys either.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
