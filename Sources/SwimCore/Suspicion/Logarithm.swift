// SPDX-License-Identifier: Apache-2.0

/// Logarithms of whole numbers, by additions, multiplications and divisions only: the same bits on
/// every machine, and no C library.
enum Logarithm {
    /// ln 2, to the last bit that a `Double` has.
    private static let ofTwo = 0.693_147_180_559_945_309_417

    /// The natural logarithm of a number that is 1 or more.
    static func natural(_ number: Int) -> Double {
        precondition(number >= 1, "no logarithm of \(number)")
        let value = Double(number)
        let (exponent, significand) = (value.exponent, value.significand)
        return Double(exponent) * ofTwo + nearOne(significand)
    }

    /// The logarithm to base 10 in thousandths, cut: 1,041 for 11.
    static func decimalInThousandths(_ number: Int) -> Int {
        precondition(number >= 1, "no logarithm of \(number)")
        // A power of ten comes out whole only if it is taken out whole.
        var digits = 0
        var power = 1
        while number / power >= 10 {
            power *= 10
            digits += 1
        }
        let rest = natural(number) - Double(digits) * natural(10)
        guard number > power else { return 1000 * digits }
        return 1000 * digits + Int(1000 * rest / natural(10))
    }

    /// The least whole number that is not less than the logarithm to base 10.
    static func decimalCeiling(_ number: Int) -> Int {
        var (digits, power) = (0, 1)
        while power < number {
            (digits, power) = (digits + 1, power.multipliedReportingOverflow(by: 10).partialValue)
            if digits == 18 { break }
        }
        return digits
    }

    /// The least whole number that is not less than the logarithm to base 2.
    static func binaryCeiling(_ number: Int) -> Int {
        number <= 1 ? 0 : Int.bitWidth - (number - 1).leadingZeroBitCount
    }

    /// ln x for x from 1 to 2: twice the area tangent of (x - 1)/(x + 1), whose series shrinks by 9
    /// with each term.
    private static func nearOne(_ value: Double) -> Double {
        let ratio = (value - 1) / (value + 1)
        let square = ratio * ratio
        var sum = 0.0
        // From the smallest term to the greatest, so that nothing is lost to rounding.
        for exponent in stride(from: 41, through: 1, by: -2) {
            sum = sum * square + 1 / Double(exponent)
        }
        return 2 * ratio * sum
    }
}
