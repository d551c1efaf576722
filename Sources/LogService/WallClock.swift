// SPDX-License-Identifier: Apache-2.0

internal import Glibc
public import Records

/// The system's clock.
public enum WallClock {
    /// The time now.
    public static func now() -> Timestamp {
        var time = timespec()
        // Cannot fail: the clock exists and the pointer is sound.
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(
            milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
