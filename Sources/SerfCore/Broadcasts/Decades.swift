// SPDX-License-Identifier: Apache-2.0

/// Decimal logarithms of whole numbers, without rounding errors.
enum Decades {
    /// The least d for which 10^d is more than n: ceil(log10(n + 1)), and at least 1.
    static func above(_ count: Int) -> Int {
        var decades = 1
        var power = 10
        while power <= count, decades < 18 {
            decades += 1
            power *= 10
        }
        return decades
    }
}
