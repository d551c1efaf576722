// SPDX-License-Identifier: Apache-2.0

/// Variable-length integers as Protocol Buffers and Kafka write them: seven bits a byte, least
/// significant group first, the high bit set on all but the last; signed values zigzag-coded.
public enum Varint {
    /// The most bytes a 32-bit value takes.
    public static let maxLength32 = 5
    /// The most bytes a 64-bit value takes.
    public static let maxLength64 = 10

    /// The number of bytes that `value` takes.
    @inlinable
    public static func length(of value: UInt64) -> Int {
        // ceil(significant bits / 7), at least one byte.
        (70 - (value | 1).leadingZeroBitCount) / 7
    }

    /// The number of bytes that `value` takes zigzag-coded.
    @inlinable
    public static func length(ofZigZag value: Int64) -> Int {
        length(of: zigZag(value))
    }

    /// Maps small magnitudes of either sign to small unsigned values.
    @inlinable
    public static func zigZag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value << 1) ^ (value >> 63))
    }

    /// The inverse of ``zigZag(_:)``.
    @inlinable
    public static func unZigZag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// Writes `value` at `position` and moves the position past it.
    ///
    /// The caller has made sure of ``length(of:)`` bytes of room.
    @inlinable
    public static func write(
        _ value: UInt64, to buffer: UnsafeMutableRawBufferPointer, at position: inout Int
    ) {
        var rest = value
        while rest >= 0x80 {
            unsafe buffer[position] = UInt8(truncatingIfNeeded: rest) | 0x80
            position += 1
            rest >>= 7
        }
        unsafe buffer[position] = UInt8(truncatingIfNeeded: rest)
        position += 1
    }

    /// Writes `value` zigzag-coded at `position` and moves the position past it.
    @inlinable
    public static func writeZigZag(
        _ value: Int64, to buffer: UnsafeMutableRawBufferPointer, at position: inout Int
    ) {
        unsafe write(zigZag(value), to: buffer, at: &position)
    }

    /// Reads an unsigned value of up to 64 bits, or `nil` if it is cut short, too long or padded.
    ///
    /// A value may not be longer than it needs to be: the last byte of a longer one is never 0.
    /// The position moves only on success.
    @inlinable
    @inline(__always)
    public static func read(
        _ buffer: UnsafeRawBufferPointer, at position: inout Int, maxLength: Int = maxLength64
    ) -> UInt64? {
        // Nearly all lengths and deltas take one byte or two; the others are worth a call.
        if position + 1 < buffer.count {
            let first = unsafe buffer[position]
            if first < 0x80 {
                position += 1
                return UInt64(first)
            }
            let second = unsafe buffer[position + 1]
            if second < 0x80, second != 0 {
                position += 2
                return UInt64(first & 0x7f) | UInt64(second) << 7
            }
        }
        return unsafe readLong(buffer, at: &position, maxLength: maxLength)
    }

    /// Reads a value of any length.
    @usableFromInline
    static func readLong(
        _ buffer: UnsafeRawBufferPointer, at position: inout Int, maxLength: Int
    ) -> UInt64? {
        var cursor = position
        var value: UInt64 = 0
        var shift: UInt64 = 0
        let end = min(buffer.count, position + maxLength)
        while cursor < end {
            let byte = unsafe buffer[cursor]
            cursor += 1
            // The tenth byte holds the one bit that is left of 64.
            if shift == 63, byte > 1 { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 {
                guard byte != 0 || shift == 0 else { return nil }
                position = cursor
                return value
            }
            shift += 7
        }
        return nil
    }

    /// Reads a zigzag-coded value of up to 64 bits, or `nil` as ``read(_:at:maxLength:)`` does.
    @inlinable
    @inline(__always)
    public static func readZigZag64(
        _ buffer: UnsafeRawBufferPointer, at position: inout Int
    ) -> Int64? {
        guard let value = unsafe read(buffer, at: &position) else { return nil }
        return unZigZag(value)
    }

    /// Reads a zigzag-coded value of up to 32 bits, or `nil` as ``read(_:at:maxLength:)`` does.
    @inlinable
    @inline(__always)
    public static func readZigZag32(
        _ buffer: UnsafeRawBufferPointer, at position: inout Int
    ) -> Int32? {
        let start = position
        guard let value = unsafe read(buffer, at: &position, maxLength: maxLength32) else {
            return nil
        }
        guard value <= UInt64(UInt32.max) else {
            position = start
            return nil
        }
        return Int32(truncatingIfNeeded: unZigZag(value))
    }
}
