// SPDX-License-Identifier: Apache-2.0

public import Disk
public import Records

/// Why a log did not do what it was asked to.
public enum LogError: Error, Sendable, Equatable {
    /// The offset is below the log start offset or beyond the end.
    case offsetOutOfRange(Offset, valid: Range<Int64>)
    /// Stored bytes are damaged.
    case damaged(Damage)
    /// Damage was found when the log was opened; it takes no records until it is repaired.
    case readOnly([Damage])
    /// The disk is full. Nothing was changed; the same call can succeed later.
    case diskFull(FileError)
    /// A write or sync failed. Nothing is acknowledged until the log is opened and verified anew.
    case failed(FileError)
    /// A file operation failed in a way that leaves the log as it was.
    case file(FileError)
    /// A file was written by a newer version.
    case unsupportedFormat(path: String, version: Int)
    /// The directory holds something that cannot be a log's.
    case unusable(path: String, reason: String)
    /// The log was closed.
    case closed
}

/// Stored bytes that are not what was written.
public struct Damage: Sendable, Equatable {
    /// The offsets that cannot be read; empty if only bytes beside records are damaged.
    public var offsets: Range<Int64>
    /// The file.
    public var path: String
    /// Where in the file.
    public var position: UInt64
    /// What is wrong there.
    public var reason: String

    /// Damage with these values.
    public init(offsets: Range<Int64>, path: String, position: UInt64, reason: String) {
        self.offsets = offsets
        self.path = path
        self.position = position
        self.reason = reason
    }
}

extension LogError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .offsetOutOfRange(let offset, let valid):
            "offset \(offset.rawValue) is outside of \(valid.lowerBound)..<\(valid.upperBound)"
        case .damaged(let damage): "\(damage)"
        case .readOnly(let damages):
            "the log is read-only, it is damaged: "
                + damages.map(\.description).joined(separator: "; ")
        case .diskFull(let error): "the disk is full: \(error)"
        case .failed(let error): "the log has failed: \(error)"
        case .file(let error): "\(error)"
        case .unsupportedFormat(let path, let version):
            "\(path) has format version \(version), which is newer than this program"
        case .unusable(let path, let reason): "\(path) \(reason)"
        case .closed: "the log is closed"
        }
    }
}

extension Damage: CustomStringConvertible {
    public var description: String {
        let lost =
            offsets.isEmpty
            ? "no offsets lost" : "offsets \(offsets.lowerBound)..<\(offsets.upperBound) lost"
        return "\(path) at byte \(position): \(reason), \(lost)"
    }
}
