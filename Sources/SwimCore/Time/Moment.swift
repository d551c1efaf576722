// SPDX-License-Identifier: Apache-2.0

/// A point of a monotonic clock that the caller chose: nanoseconds since whatever it counts from.
///
/// A core is told the moment with each call and reads no clock. Moments of two clocks say nothing
/// about each other.
public struct Moment: Hashable, Comparable, Sendable {
    /// Nanoseconds since the clock's beginning.
    public var nanoseconds: Int64

    /// A moment by its nanoseconds.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The earlier one is the lesser one.
    public static func < (left: Moment, right: Moment) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The moment that lies so much later; the end of time where that would be beyond it.
    public static func + (moment: Moment, duration: Duration) -> Moment {
        let (sum, overflow) = moment.nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        guard overflow else { return Moment(nanoseconds: sum) }
        return Moment(nanoseconds: duration > .zero ? .max : .min)
    }

    /// The time that lies between an earlier moment and this one; negative if it is later.
    public func duration(since earlier: Moment) -> Duration {
        .nanoseconds(nanoseconds.subtractingSaturated(earlier.nanoseconds))
    }
}

extension Int64 {
    /// The difference, or the nearest number to it that there is.
    fileprivate func subtractingSaturated(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        guard overflow else { return difference }
        return self < other ? .min : .max
    }
}

extension Duration {
    /// The whole nanoseconds in it, at most some 292 years of them.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, isTooMuch) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        guard !isTooMuch else { return seconds < 0 ? .min : .max }
        return sum
    }

    /// A random part of this duration: from zero up to it, without it.
    func randomPart(using random: inout some RandomNumberGenerator) -> Duration {
        let nanoseconds = wholeNanoseconds
        guard nanoseconds > 0 else { return .zero }
        return .nanoseconds(Int64.random(in: 0..<nanoseconds, using: &random))
    }
}
