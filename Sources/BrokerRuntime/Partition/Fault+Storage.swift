// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import Disk
internal import Faults
internal import Records

extension Fault {
    /// What a user is told of a batch that is not acceptable.
    init(_ error: BatchError) {
        switch error {
        case .tooLarge:
            self.init(.batchTooLarge, error.description)
        case .checksumMismatch:
            self.init(.corruptBatch, error.description)
        case .unsupportedCodec, .missingLibrary:
            self.init(.unsupportedCompression, error.description)
        case .decompression(.overLimit):
            self.init(.batchTooLarge, error.description)
        default:
            self.init(.invalidBatch, error.description)
        }
    }

    /// What a producer is told whose batch does not follow its last one.
    init(_ error: ProducerError, of name: String) {
        switch error {
        case .outOfOrder: self.init(.outOfOrderSequence, "\(name): \(error)")
        case .staleEpoch: self.init(.invalidProducerEpoch, "\(name): \(error)")
        }
    }

    /// What a user is told of a log that did not do what it was asked to.
    init(_ error: LogError, of name: String) {
        switch error {
        case .offsetOutOfRange(let offset, let valid):
            self.init(
                .offsetOutOfRange,
                "\(name) holds offsets \(valid.lowerBound) to \(valid.upperBound), "
                    + "not \(offset.rawValue)",
                validOffsets: valid)
        case .damaged(let damage):
            self.init(
                .dataLoss, "\(name): \(damage)",
                hint: damage.offsets.isEmpty
                    ? nil : "offset \(damage.offsets.upperBound) and those behind can be read",
                validOffsets: damage.offsets)
        case .readOnly(let damages):
            let first = damages.first.map { ": \($0)" } ?? ""
            self.init(.partitionReadOnly, "\(name) takes no records\(first)")
        case .diskFull(let file):
            self.init(.diskFull, "\(name): \(file)")
        case .failed(let file):
            self.init(.storageFailed, "\(name): \(file)")
        case .file(let file):
            self.init(Self.code(of: file), "\(name): \(file)")
        case .unsupportedFormat(let path, let version):
            self.init(
                .unsupportedFormat, "\(path) has format version \(version), which is too new")
        case .unusable(let path, let reason):
            self.init(.dataDirectoryUnusable, "\(path) \(reason)")
        case .closed:
            self.init(.shuttingDown, "\(name) is closed")
        }
    }

    /// What a user is told of a file operation in the data directory.
    init(_ error: FileError) {
        self.init(Self.code(of: error), error.description)
    }

    private static func code(of error: FileError) -> ErrorCode {
        switch error.reason {
        case .noSpace: .diskFull
        case .permission, .notFound, .exists: .dataDirectoryUnusable
        case .descriptors: .overloaded
        case .inputOutput, .other: .storageFailed
        }
    }
}
