// SPDX-License-Identifier: Apache-2.0

/// SHA-256 (FIPS 180-4), to check outputs of which the vectors have only the sum.
func sha256(_ message: [UInt8]) -> [UInt8] {
    let constants = primes(64).map { fraction(of: $0.squareRoot(3)) }
    var state = primes(8).map { fraction(of: $0.squareRoot(2)) }
    var bytes = message + [0x80]
    while bytes.count % 64 != 56 { bytes.append(0) }
    let bitCount = UInt64(message.count) * 8
    bytes += (0..<8).map { UInt8(truncatingIfNeeded: bitCount >> (56 - 8 * $0)) }
    for start in stride(from: 0, to: bytes.count, by: 64) {
        compress(bytes[start..<start + 64], constants, into: &state)
    }
    return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
    }
}

private func compress(_ block: ArraySlice<UInt8>, _ constants: [UInt32], into state: inout [UInt32])
{
    func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }
    var words = stride(from: block.startIndex, to: block.endIndex, by: 4).map { start in
        block[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    }
    for place in 16..<64 {
        let (old, new) = (words[place - 15], words[place - 2])
        let first = rotate(old, 7) ^ rotate(old, 18) ^ old >> 3
        let second = rotate(new, 17) ^ rotate(new, 19) ^ new >> 10
        words.append(words[place - 16] &+ first &+ words[place - 7] &+ second)
    }
    var now = state
    for place in 0..<64 {
        let sum1 = rotate(now[4], 6) ^ rotate(now[4], 11) ^ rotate(now[4], 25)
        let choice = now[4] & now[5] ^ ~now[4] & now[6]
        let first = now[7] &+ sum1 &+ choice &+ constants[place] &+ words[place]
        let sum0 = rotate(now[0], 2) ^ rotate(now[0], 13) ^ rotate(now[0], 22)
        let majority = now[0] & now[1] ^ now[0] & now[2] ^ now[1] & now[2]
        now = [first &+ sum0 &+ majority] + now[0..<3] + [now[3] &+ first] + now[4..<7]
    }
    for place in 0..<8 { state[place] = state[place] &+ now[place] }
}

private func primes(_ count: Int) -> [Int] {
    var primes: [Int] = []
    var next = 2
    while primes.count < count {
        if primes.allSatisfy({ next % $0 != 0 }) { primes.append(next) }
        next += 1
    }
    return primes
}

/// The first 32 bits behind the point of a root that is scaled by 2³².
private func fraction(of scaled: UInt128) -> UInt32 { UInt32(truncatingIfNeeded: scaled) }

extension Int {
    /// The whole part of the root of this number, times 2³².
    fileprivate func squareRoot(_ degree: Int) -> UInt128 {
        let target = UInt128(self) << (32 * UInt128(degree))
        var root: UInt128 = 0
        for bit in (0..<36).reversed() {
            let next = root | UInt128(1) << UInt128(bit)
            if (0..<degree).reduce(UInt128(1), { power, _ in power * next }) <= target {
                root = next
            }
        }
        return root
    }
}
