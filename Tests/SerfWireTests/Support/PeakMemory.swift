// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The most memory that this process has held so far, in bytes; 0 where the system does not say.
func peakMemory() -> Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else {
        return 0
    }
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let digits = line?.filter { $0.isNumber } ?? ""
    return (Int(digits) ?? 0) << 10
}
