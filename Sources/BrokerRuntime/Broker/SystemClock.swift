// SPDX-License-Identifier: Apache-2.0

internal import Records

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

extension BrokerClock {
    /// The machine's clocks.
    public static let system = BrokerClock(
        wall: { Timestamp(milliseconds: milliseconds(of: CLOCK_REALTIME)) },
        monotonic: { milliseconds(of: CLOCK_MONOTONIC) }, pause: { usleep($0) })

    private static func milliseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
