// SPDX-License-Identifier: Apache-2.0

internal import CordwoodClient

/// Points in time as RFC 3339 writes them, always in UTC when written.
enum TimeText {
    private static let dayMilliseconds: Int64 = 86_400_000

    /// The time as text, such as `2026-01-31T10:00:00.000Z`.
    static func text(_ time: Timestamp) -> String {
        let (days, rest) = floorDivide(time.rawValue, by: dayMilliseconds)
        let date = civil(days: days)
        let seconds = rest / 1000
        return "\(pad(date.year, 4))-\(pad(date.month, 2))-\(pad(date.day, 2))"
            + "T\(pad(seconds / 3600, 2)):\(pad(seconds / 60 % 60, 2)):\(pad(seconds % 60, 2))"
            + ".\(pad(rest % 1000, 3))Z"
    }

    /// The time that a text such as `2026-01-31`, `2026-01-31T10:00Z` or
    /// `2026-01-31T10:00:00.250+02:00` gives; UTC where no zone is named.
    static func time(_ text: String) -> Timestamp? {
        var scanner = Scanner(text)
        guard let year = scanner.number(digits: 4), scanner.skip("-"),
            let month = scanner.number(digits: 2), scanner.skip("-"),
            let day = scanner.number(digits: 2), (1...12).contains(month), day >= 1,
            day <= length(ofMonth: month, year: year)
        else { return nil }
        var milliseconds = days(year: year, month: month, day: day) * dayMilliseconds
        if scanner.isAtEnd { return Timestamp(milliseconds: milliseconds) }
        guard scanner.skip("T") || scanner.skip("t") || scanner.skip(" "),
            let hour = scanner.number(digits: 2), scanner.skip(":"),
            let minute = scanner.number(digits: 2), hour < 24, minute < 60
        else { return nil }
        milliseconds += (hour * 60 + minute) * 60_000
        if scanner.skip(":") {
            guard let second = scanner.number(digits: 2), second < 60 else { return nil }
            milliseconds += second * 1000
            if scanner.skip(".") {
                guard let fraction = scanner.milliseconds() else { return nil }
                milliseconds += fraction
            }
        }
        guard let zone = scanner.zone(), scanner.isAtEnd else { return nil }
        return Timestamp(milliseconds: milliseconds - zone * 60_000)
    }

    // MARK: - The calendar

    /// Days since 1970-01-01 of a day of the Gregorian calendar.
    ///
    /// Counted in eras of 400 years that begin in March, so that a leap day is the last of a year
    /// (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = floorDivide(shifted, by: 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(days + 719_468, by: 146_097)
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private static func length(ofMonth month: Int64, year: Int64) -> Int64 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return switch month {
        case 2: isLeap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func floorDivide(
        _ value: Int64, by divisor: Int64
    ) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func pad(_ number: Int64, _ digits: Int) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}

extension TimeText {
    /// Takes a text apart from the left.
    private struct Scanner {
        var rest: Substring

        init(_ text: String) { rest = text[...] }

        var isAtEnd: Bool { rest.isEmpty }

        mutating func skip(_ character: Character) -> Bool {
            guard rest.first == character else { return false }
            rest.removeFirst()
            return true
        }

        mutating func number(digits: Int) -> Int64? {
            let taken = rest.prefix(digits)
            guard taken.count == digits, taken.allSatisfy({ $0.isASCII && $0.isNumber }) else {
                return nil
            }
            rest = rest.dropFirst(digits)
            return Int64(taken)
        }

        /// The digits behind a point, cut to three.
        mutating func milliseconds() -> Int64? {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard (1...9).contains(digits.count) else { return nil }
            rest = rest.dropFirst(digits.count)
            return Int64((digits + "00").prefix(3))
        }

        /// Minutes east of Greenwich; 0 where no zone stands.
        mutating func zone() -> Int64? {
            if isAtEnd || skip("Z") || skip("z") { return 0 }
            let sign: Int64 = rest.first == "-" ? -1 : 1
            guard skip("+") || skip("-"), let hours = number(digits: 2), hours < 24 else {
                return nil
            }
            _ = skip(":")
            guard let minutes = number(digits: 2), minutes < 60 else { return nil }
            return sign * (hours * 60 + minutes)
        }
    }
}
