// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// Lets through so many log lines of a kind in a while, and counts the others.
struct LineLimit {
    /// How long a while is.
    static let period = TimeAmount.seconds(10)
    /// Lines in it.
    static let linesMax = 10

    private var began = NIODeadline.uptimeNanoseconds(0)
    private var lines = 0
    private var withheld = 0

    /// How many lines were withheld before this one; `nil` to withhold this one too.
    mutating func admit(at now: NIODeadline) -> Int? {
        if now - began >= Self.period {
            began = now
            lines = 0
        }
        guard lines < Self.linesMax else {
            withheld += 1
            return nil
        }
        lines += 1
        defer { withheld = 0 }
        return withheld
    }
}
