// SPDX-License-Identifier: Apache-2.0

/// Big-endian loads and stores at a byte position.
///
/// The caller has checked that the bytes are there; a position outside the buffer is our own bug
/// and traps in debug builds.
extension UnsafeRawBufferPointer {
    /// The integer stored most significant byte first at `position`.
    @inlinable
    public func bigEndian<Value: FixedWidthInteger & BitwiseCopyable>(
        at position: Int, as type: Value.Type = Value.self
    ) -> Value {
        assert(position >= 0 && position + MemoryLayout<Value>.size <= count, "read past the end")
        return unsafe Value(bigEndian: loadUnaligned(fromByteOffset: position, as: Value.self))
    }
}

extension UnsafeMutableRawBufferPointer {
    /// The integer stored most significant byte first at `position`.
    @inlinable
    public func bigEndian<Value: FixedWidthInteger & BitwiseCopyable>(
        at position: Int, as type: Value.Type = Value.self
    ) -> Value {
        unsafe UnsafeRawBufferPointer(self).bigEndian(at: position, as: type)
    }

    /// Stores an integer most significant byte first at `position`.
    @inlinable
    public func storeBigEndian<Value: FixedWidthInteger & BitwiseCopyable>(
        _ value: Value, at position: Int
    ) {
        assert(position >= 0 && position + MemoryLayout<Value>.size <= count, "write past the end")
        unsafe storeBytes(of: value.bigEndian, toByteOffset: position, as: Value.self)
    }
}

extension [UInt8] {
    /// Appends an integer, most significant byte first.
    @inlinable
    public mutating func appendBigEndian<Value: FixedWidthInteger>(_ value: Value) {
        unsafe Swift.withUnsafeBytes(of: value.bigEndian) { unsafe append(contentsOf: $0) }
    }
}
