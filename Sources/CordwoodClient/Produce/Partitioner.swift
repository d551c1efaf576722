// SPDX-License-Identifier: Apache-2.0

/// Chooses partitions the way Kafka's default partitioner does, so that clients of both protocols
/// send equal keys to the same partition.
enum Partitioner {
    /// The partition of a key: its hash without the sign bit, modulo the number of partitions.
    static func partition(forKey key: [UInt8], count: Int) -> Int {
        precondition(count > 0, "a topic has partitions, not \(count)")
        return Int(murmur2(key) & 0x7fff_ffff) % count
    }

    /// MurmurHash2 (Austin Appleby, public domain), 32 bits, little-endian, with the seed that
    /// Kafka's clients use.
    static func murmur2(_ bytes: [UInt8]) -> UInt32 {
        let seed: UInt32 = 0x9747_b28c
        let multiplier: UInt32 = 0x5bd1_e995
        let shift: UInt32 = 24
        var hash = seed ^ UInt32(truncatingIfNeeded: bytes.count)
        var position = 0
        while position + 4 <= bytes.count {
            var word =
                UInt32(bytes[position]) | UInt32(bytes[position + 1]) << 8
                | UInt32(bytes[position + 2]) << 16 | UInt32(bytes[position + 3]) << 24
            word &*= multiplier
            word ^= word >> shift
            word &*= multiplier
            hash &*= multiplier
            hash ^= word
            position += 4
        }
        let rest = bytes.count - position
        if rest == 3 { hash ^= UInt32(bytes[position + 2]) << 16 }
        if rest >= 2 { hash ^= UInt32(bytes[position + 1]) << 8 }
        if rest >= 1 {
            hash ^= UInt32(bytes[position])
            hash &*= multiplier
        }
        hash ^= hash >> 13
        hash &*= multiplier
        hash ^= hash >> 15
        return hash
    }
}

/// Goes through the partitions in turn, for records without a key.
struct RoundRobin: Sendable {
    private var next = 0

    /// The next partition of so many.
    mutating func partition(of count: Int) -> Int {
        precondition(count > 0, "a topic has partitions, not \(count)")
        defer { next = (next + 1) & 0xffff }
        return next % count
    }
}
