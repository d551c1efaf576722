// SPDX-License-Identifier: Apache-2.0

/// The keys with which packets are encrypted and decrypted: the first encrypts, all decrypt.
///
/// Never shows a key, whichever way it is printed.
public struct Keyring: Sendable, Equatable {
    /// How many keys a keyring holds: each wrong packet costs a try with every one of them.
    public static let keyCountMax = 64

    /// 16, 24 or 32 bytes each, no two alike, the primary one first.
    ///
    /// Never empty.
    public private(set) var keys: [[UInt8]]

    /// A keyring.
    ///
    /// - Parameter keys: The primary key first; repeated ones are taken once.
    /// - Throws: ``SerfError/keySize(_:)`` or ``SerfError/keyCount(limit:)``.
    public init(keys: [[UInt8]]) throws(SerfError) {
        self.keys = []
        for key in keys { try install(key) }
        guard !self.keys.isEmpty else { throw .keyCount(limit: Self.keyCountMax) }
    }

    /// The key that encrypts.
    public var primary: [UInt8] { keys[0] }

    /// Whether a key has the size of one: AES-128, AES-192 or AES-256.
    static func allows(sizeOf key: [UInt8]) -> Bool {
        key.count == 16 || key.count == 24 || key.count == 32
    }

    /// Adds a key to decrypt with.
    ///
    /// One that is there already changes nothing.
    ///
    /// - Throws: ``SerfError/keySize(_:)`` or ``SerfError/keyCount(limit:)``.
    public mutating func install(_ key: [UInt8]) throws(SerfError) {
        guard Self.allows(sizeOf: key) else { throw .keySize(key.count) }
        guard !keys.contains(key) else { return }
        guard keys.count < Self.keyCountMax else { throw .keyCount(limit: Self.keyCountMax) }
        keys.append(key)
    }

    /// Makes a key the primary one.
    ///
    /// - Throws: ``SerfError/keyNotInstalled``.
    public mutating func use(_ key: [UInt8]) throws(SerfError) {
        guard let index = keys.firstIndex(of: key) else { throw .keyNotInstalled }
        keys.remove(at: index)
        keys.insert(key, at: 0)
    }

    /// Takes a key away.
    ///
    /// One that is not there changes nothing.
    ///
    /// - Throws: ``SerfError/keyIsPrimary``.
    public mutating func remove(_ key: [UInt8]) throws(SerfError) {
        guard let index = keys.firstIndex(of: key) else { return }
        guard index > 0 else { throw .keyIsPrimary }
        keys.remove(at: index)
    }
}

extension Keyring: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// How many keys there are.
    public var description: String { keys.count == 1 ? "1 key" : "\(keys.count) keys" }

    /// How many keys there are.
    public var debugDescription: String { description }

    /// Nothing to look into.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
