// SPDX-License-Identifier: Apache-2.0

/// A change of the keys of all members.
///
/// A rotation is install, use, remove, each after all members have answered the one before.
public enum KeyCommand: Sendable, Equatable {
    /// Put the key into every keyring, to decrypt with.
    case install([UInt8])
    /// Make every member encrypt with the key.
    case use([UInt8])
    /// Take the key out of every keyring.
    case remove([UInt8])
    /// Ask which keys there are.
    case list
}

extension KeyCommand: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What is done, without the key.
    public var description: String {
        switch self {
        case .install: "install-key"
        case .use: "use-key"
        case .remove: "remove-key"
        case .list: "list-keys"
        }
    }

    /// What is done, without the key.
    public var debugDescription: String { description }

    /// Nothing to look into.
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// The key, if the command has one.
    var key: [UInt8]? {
        switch self {
        case .install(let key), .use(let key), .remove(let key): key
        case .list: nil
        }
    }

    /// The internal query that carries it.
    var queryName: String { InternalQuery.prefix + description }
}
