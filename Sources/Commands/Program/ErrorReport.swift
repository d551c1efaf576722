// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import CordwoodClient
internal import Disk
internal import Faults

/// A failure as a user meets it: what happened, why, and what to try.
struct ErrorReport: Equatable {
    var message: String
    /// The stable code, such as `CW-1002`.
    var code: String
    var why: String
    var remedy: String
    var status: ProgramStatus

    init(_ fault: Fault) {
        message = fault.message
        code = fault.code.text
        why = fault.code.cause
        remedy = fault.hint ?? fault.code.remedy
        status = ProgramStatus(fault.code)
    }

    init(_ error: CordwoodError) {
        let known = ErrorCode(rawValue: error.code.rawValue)
        message = error.message
        code = "\(error.code)"
        why = known?.cause ?? "The server is newer than this program and knows more errors."
        remedy = error.hint.isEmpty ? known?.remedy ?? "cordwood version" : error.hint
        status = known.map(ProgramStatus.init) ?? .failed
    }

    /// A report of anything that a verb threw.
    init(_ error: any Error) {
        switch error {
        case let fault as Fault: self.init(fault)
        case let error as CordwoodError: self.init(error)
        case let error as LogError: self.init(Fault(error))
        case let error as FileError: self.init(Fault(error))
        case is CancellationError: self.init(Fault(.cancelled, "interrupted"))
        default: self.init(Fault(.internalError, "\(error)"))
        }
    }

    /// The three lines.
    func text(isColoured: Bool) -> String {
        let style = Style(isColoured: isColoured)
        return """
            \(style.red("error:")) \(message)  \(style.dim("[\(code)]"))
              \(style.dim("why:")) \(why)
              \(style.dim("try:")) \(remedy)

            """
    }
}

extension Fault {
    /// What a log that no server has open refuses.
    init(_ error: LogError) {
        switch error {
        case .offsetOutOfRange: self.init(.offsetOutOfRange, "\(error)")
        case .damaged: self.init(.dataLoss, "\(error)")
        case .readOnly: self.init(.partitionReadOnly, "\(error)")
        case .diskFull: self.init(.diskFull, "\(error)")
        case .failed: self.init(.storageFailed, "\(error)")
        case .file(let error): self.init(error)
        case .unsupportedFormat: self.init(.unsupportedFormat, "\(error)")
        case .unusable: self.init(.dataDirectoryUnusable, "\(error)")
        case .closed: self.init(.internalError, "\(error)")
        }
    }

    /// What the disk refuses.
    init(_ error: FileError) {
        self.init(error.reason == .noSpace ? .diskFull : .dataDirectoryUnusable, "\(error)")
    }
}
