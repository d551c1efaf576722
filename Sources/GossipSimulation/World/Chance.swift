// SPDX-License-Identifier: Apache-2.0

internal import Bytes

// What is drawn again and again.
extension SplitMix64 {
    /// True so many times in a thousand.
    mutating func happens(permille: Int) -> Bool {
        permille > 0 && Int.random(in: 0..<1000, using: &self) < permille
    }

    /// True so many times in a hundred.
    mutating func happens(percent: Int) -> Bool { happens(permille: 10 * percent) }

    /// One of some values.
    mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &self)]
    }

    mutating func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    mutating func time(_ range: ClosedRange<Int64>) -> Int64 {
        Int64.random(in: range, using: &self)
    }

    /// A time that is short as a rule and long now and then: exponential, about, with this mean.
    ///
    /// Whole numbers only, so that it is the same on every machine. Between two powers of two the
    /// logarithm is taken to be straight.
    mutating func exponential(mean: Int64) -> Int64 {
        guard mean > 0 else { return 0 }
        let bits = next() | 1
        let zeros = Int64(bits.leadingZeroBitCount)
        let fraction = Int64((bits << UInt64(zeros + 1)) >> 44)
        let log = (zeros + 1) * 726_817 - (fraction * 726_817) >> 20
        // In 2^-20; split, as a mean may be hours of nanoseconds.
        return (mean >> 20) &* log &+ ((mean & 0xf_ffff) &* log) >> 20
    }

    /// A generator of its own for somebody else.
    mutating func fork() -> SplitMix64 { SplitMix64(seed: next()) }
}

extension Duration {
    /// The whole nanoseconds in it.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
