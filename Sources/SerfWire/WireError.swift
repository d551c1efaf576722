// SPDX-License-Identifier: Apache-2.0

/// Why bytes of a peer could not be read.
///
/// The peer's mistake, or an attack; never ours.
public enum WireError: Error, Sendable, Hashable {
    /// The bytes end before the value does.
    case truncated
    /// The bytes are not what they should be; the text says what was expected.
    case malformed(String)
    /// Something is longer than what is allowed: bytes, parts or elements.
    case tooLong(limit: Int)
    /// A message of a kind that is not known, or not allowed where it came.
    case unknownType(UInt8)
    /// The CRC-32 of a packet is not that of its content.
    case checksumMismatch
    /// The label is missing, is another one, or is there where none is used.
    case wrongLabel
    /// A form that exists but that this library does not have: a compression, a version.
    case unsupported(String)
}
