// SPDX-License-Identifier: Apache-2.0

internal import CCodecs

/// The one door to compressed bytes: how the records of a batch are packed, with Kafka's numbers.
///
/// What comes out of a peer's bytes never outgrows the limit that the caller names, so a few bytes
/// that claim to be a gigabyte cost no more than the limit. `none` and `gzip` are always served; the
/// others where the system has their library, which is looked for when it is first needed.
public enum Codec: UInt8, Sendable, CaseIterable {
    case none = 0
    case gzip = 1
    case snappy = 2
    case lz4 = 3
    case zstd = 4

    /// Whether this machine packs and opens the codec.
    public var isSupported: Bool {
        switch self {
        case .none, .gzip: true
        case .snappy: cordwood_has_snappy()
        case .lz4: cordwood_has_lz4()
        case .zstd: cordwood_has_zstd()
        }
    }

    /// The Debian package that has the codec's library; `nil` for codecs that are always served.
    public var debianPackage: String? {
        switch self {
        case .none, .gzip: nil
        case .snappy: "libsnappy1v5"
        case .lz4: "liblz4-1"
        case .zstd: "libzstd1"
        }
    }

    /// Opens packed bytes.
    ///
    /// - Parameters:
    ///   - bytes: All of the packed bytes, and nothing behind them.
    ///   - limit: The most bytes that may come out.
    /// - Returns: The bytes that were packed. No more than `limit` bytes are set aside for them, and
    ///   those step by step, as they come out.
    public func decompress(
        _ bytes: UnsafeRawBufferPointer, limit: Int
    ) throws(CompressionError) -> [UInt8] {
        precondition(limit >= 0, "a limit is not negative: \(limit)")
        guard isSupported else { throw .unsupported(self) }
        switch self {
        case .none:
            guard bytes.count <= limit else { throw .overLimit(limit: limit) }
            return unsafe [UInt8](bytes)
        case .gzip:
            return try unsafe Gzip.decompress(bytes, limit: limit)
        case .snappy:
            return try unsafe Snappy.decompress(bytes, limit: limit)
        case .lz4:
            return try unsafe LZ4.decompress(bytes, limit: limit)
        case .zstd:
            return try unsafe Zstandard.decompress(bytes, limit: limit)
        }
    }

    /// Packs bytes.
    public func compress(_ bytes: UnsafeRawBufferPointer) throws(CompressionError) -> [UInt8] {
        guard isSupported else { throw .unsupported(self) }
        switch self {
        case .none:
            return unsafe [UInt8](bytes)
        case .gzip:
            return try unsafe Gzip.compress(bytes)
        case .snappy:
            return try unsafe Snappy.compress(bytes)
        case .lz4:
            return try unsafe LZ4.compress(bytes)
        case .zstd:
            return try unsafe Zstandard.compress(bytes)
        }
    }
}

/// Why bytes could not be packed or opened.
public enum CompressionError: Error, Sendable, Equatable {
    /// The codec's library is not installed here.
    case unsupported(Codec)
    /// The bytes are not what the codec writes, are cut short, or something follows them.
    case damaged
    /// More than `limit` bytes would come out.
    case overLimit(limit: Int)
    /// The library found no memory for its window.
    case outOfMemory
}

extension CompressionError: CustomStringConvertible {
    /// What is wrong, in a few words.
    public var description: String {
        switch self {
        case .unsupported(let codec):
            "compression codec \(codec) is not served here: the Debian package "
                + "\(codec.debianPackage ?? "of its library") is not installed"
        case .damaged: "the compressed bytes are damaged"
        case .overLimit(let limit): "the compressed bytes open to more than \(limit) bytes"
        case .outOfMemory: "there is no memory to compress or open bytes"
        }
    }
}
