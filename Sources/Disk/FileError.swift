// SPDX-License-Identifier: Apache-2.0

/// A file operation that failed: what was tried, on which path, and the system's number for it.
public struct FileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The operations of the door, as they appear in messages.
    public enum Operation: String, Sendable {
        case createDirectory = "create directory"
        case list = "list"
        case status = "look up"
        case open = "open"
        case read = "read"
        case write = "write"
        case truncate = "truncate"
        case sync = "sync"
        case syncDirectory = "sync directory"
        case syncAll = "sync file system of"
        case remove = "remove"
        case rename = "rename"
        case space = "measure space at"
        case lock = "lock"
    }

    /// Why it failed, as far as Cordwood acts on the difference.
    public enum Reason: Sendable, Equatable {
        case notFound
        case exists
        /// The disk or the quota is full: room may come back.
        case noSpace
        case permission
        /// The device failed: the data may be lost.
        case inputOutput
        /// The process has too many files open.
        case descriptors
        case other
    }

    /// What was tried.
    public var operation: Operation
    /// On which path.
    public var path: String
    /// The system's error number (`errno`).
    public var code: Int32
    /// What the number means to us.
    public var reason: Reason

    /// An error with these values.
    public init(_ operation: Operation, _ path: String, code: Int32, reason: Reason) {
        self.operation = operation
        self.path = path
        self.code = code
        self.reason = reason
    }

    /// One line for logs and people.
    public var description: String {
        let meaning =
            switch reason {
            case .notFound: "no such file or directory"
            case .exists: "already exists"
            case .noSpace: "no space left"
            case .permission: "permission denied"
            case .inputOutput: "input/output error"
            case .descriptors: "too many open files"
            case .other: "failed"
            }
        return "cannot \(operation.rawValue) \(path): \(meaning) (errno \(code))"
    }
}
