// SPDX-License-Identifier: Apache-2.0

public import Disk

/// Why a journal does not open.
public enum HardStateError: Error, Sendable, Equatable {
    case file(FileError)
    /// A record is damaged, or gone, that was promised to somebody: this store may have voted, and does
    /// not know for whom.
    case promiseLost(path: String, record: UInt64)
    case unsupportedFormat(path: String, version: Int)
}

extension HardStateError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .file(let error): "\(error)"
        case .promiseLost(let path, let record):
            "\(path) is damaged at record \(record): votes may be forgotten that others rely on; "
                + "give the node an empty data directory, so that it comes back as a new one"
        case .unsupportedFormat(let path, let version):
            "\(path) has format version \(version), which is newer than this program"
        }
    }
}
