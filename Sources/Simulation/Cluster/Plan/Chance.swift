// SPDX-License-Identifier: Apache-2.0

internal import Bytes

// What is drawn again and again.
extension SplitMix64 {
    /// True so many times in a hundred.
    mutating func happens(percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

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
    /// Whole numbers only, so that it is the same on every machine: the leading zeros of a random
    /// number are the powers of two, the bits behind them the way between two powers.
    mutating func exponential(mean: Int64) -> Int64 {
        guard mean > 0 else { return 0 }
        let bits = next() | 1
        let zeros = Int64(bits.leadingZeroBitCount)
        let fraction = Int64((bits << UInt64(zeros + 1)) >> 44)
        // -ln(u) for u in 2^-(zeros+1) ... 2^-zeros, straight in between; in units of 2^-20.
        let log = (zeros + 1) * 726_817 - (fraction * 726_817) >> 20
        return (mean &* log) >> 20
    }

    /// A generator of its own for somebody else.
    mutating func fork() -> SplitMix64 { SplitMix64(seed: next()) }
}
