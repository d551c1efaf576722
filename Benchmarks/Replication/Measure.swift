// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// Times, and what is made of them.
enum Measure {
    /// Seconds that a call takes.
    static func seconds<Value>(_ body: () throws -> Value) rethrows -> (Double, Value) {
        let start = DispatchTime.now().uptimeNanoseconds
        let value = try body()
        return (Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9, value)
    }

    /// Seconds that a call takes.
    static func asyncSeconds(_ body: () async throws -> Void) async rethrows -> Double {
        let start = DispatchTime.now().uptimeNanoseconds
        try await body()
        return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}

/// What a measure must reach, and did.
struct Outcome {
    var name: String
    /// What was measured, in `unit`.
    var value: Double
    var unit: String
    /// At least this much, or at most if `isCeiling`.
    var bound: Double
    var isCeiling = false
    var detail: String

    var passes: Bool { isCeiling ? value <= bound : value >= bound }

    var line: String {
        func short(_ value: Double) -> String {
            value >= 1000 ? "\(Int(value))" : "\((value * 1000).rounded() / 1000)"
        }
        let relation = isCeiling ? "≤" : "≥"
        return "\(passes ? "ok  " : "MISS") \(name): \(short(value)) \(unit) "
            + "(\(relation) \(short(bound)))  \(detail)"
    }
}
