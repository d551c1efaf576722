// SPDX-License-Identifier: Apache-2.0

internal import Records

/// The names of a segment's files: the base offset in 20 digits, so that they sort as the log does.
enum SegmentName {
    static let storeSuffix = ".store"
    static let indexSuffix = ".index"
    static let timeIndexSuffix = ".timeindex"
    static let checkpoint = "checkpoint"
    /// What becomes the checkpoint's file.
    static let newCheckpoint = "checkpoint.new"
    /// A store that is written anew, to take another one's place.
    static let rewritten = "rewrite.new"

    static func store(_ base: Offset) -> String { digits(base) + storeSuffix }
    static func index(_ base: Offset) -> String { digits(base) + indexSuffix }
    static func timeIndex(_ base: Offset) -> String { digits(base) + timeIndexSuffix }

    private static func digits(_ base: Offset) -> String {
        let digits = String(base.rawValue)
        return String(repeating: "0", count: max(0, 20 - digits.count)) + digits
    }

    /// The base offset that a name of exactly this form states.
    static func base(of name: String, suffix: String) -> Offset? {
        guard name.hasSuffix(suffix) else { return nil }
        let digits = name.dropLast(suffix.count)
        guard digits.utf8.count == 20, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let value = Int64(digits)
        else { return nil }
        return Offset(value)
    }
}
