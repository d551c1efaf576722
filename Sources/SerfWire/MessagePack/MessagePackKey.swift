// SPDX-License-Identifier: Apache-2.0

/// The name of a field, in place: compared with literals in a `switch`, never copied.
///
/// It must not outlive the bytes that it was read from.
@safe
public struct MessagePackKey {
    private let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        unsafe self.bytes = bytes
    }

    /// Whether a key is this name, byte by byte.
    @inline(__always)
    public static func ~= (name: StaticString, key: MessagePackKey) -> Bool {
        guard unsafe name.utf8CodeUnitCount == key.bytes.count else { return false }
        let start = unsafe UnsafeRawPointer(name.utf8Start)
        for place in 0..<name.utf8CodeUnitCount {
            guard unsafe start.load(fromByteOffset: place, as: UInt8.self) == key.bytes[place]
            else { return false }
        }
        return true
    }
}
