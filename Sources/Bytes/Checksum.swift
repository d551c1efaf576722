// SPDX-License-Identifier: Apache-2.0

internal import CChecksum

/// CRC32C (Castagnoli), as RFC 3720 appendix B.4 and Kafka's RecordBatch v2 define it.
///
/// The processor's instruction is used where there is one (SSE4.2 in three streams, ARMv8),
/// a table elsewhere. All paths give the same values.
public enum CRC32C {
    /// The checksum of some bytes, or of the bytes before them and these when seeded.
    ///
    /// - Parameters:
    ///   - bytes: What is summed.
    ///   - seed: The checksum of what came before; 0 at the start.
    public static func checksum(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
        unsafe cordwood_crc32c(seed, bytes.baseAddress, bytes.count)
    }

    /// The checksum of an array's bytes.
    public static func checksum(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
        unsafe bytes.withUnsafeBytes { unsafe checksum($0, seed: seed) }
    }

    /// The checksum by table, whatever the processor can do: what the fast paths are tested against.
    public static func checksumByTable(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
        unsafe bytes.withUnsafeBytes {
            unsafe cordwood_crc32c_table(seed, $0.baseAddress, $0.count)
        }
    }

    /// The checksum by each path that this processor can take, for tests: all are equal.
    public static func checksumByEachPath(_ bytes: UnsafeRawBufferPointer, seed: UInt32) -> [UInt32]
    {
        (0...cordwood_crc32c_path()).map {
            unsafe cordwood_crc32c_on($0, seed, bytes.baseAddress, bytes.count)
        }
    }

    /// The name of the path that this processor takes: `table`, `sse4.2`, `armv8` or `avx512`.
    public static var path: String {
        switch cordwood_crc32c_path() {
        case 1: "sse4.2"
        case 2: "armv8"
        case 3: "avx512"
        default: "table"
        }
    }
}
