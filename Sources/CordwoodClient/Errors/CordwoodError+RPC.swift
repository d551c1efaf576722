// SPDX-License-Identifier: Apache-2.0

internal import Faults
internal import GRPCCore
internal import GRPCProtobuf
internal import LogAPI
internal import Records

extension CordwoodError {
    /// What an error of the transport, or of a task, means to our user.
    ///
    /// - Parameters:
    ///   - error: Anything that a call threw.
    ///   - server: The address that was called, for the message.
    init(_ error: any Error, server: String) {
        switch error {
        case let error as CordwoodError:
            self = error
        case let error as RPCError:
            self = Self(named: error) ?? Self(transport: error, server: server)
        case is CancellationError:
            self.init(.cancelled, "the call was cancelled")
        case let error as RuntimeError where error.code == .clientIsStopped:
            self.init(.closed, "the client is closed")
        default:
            self.init(.unreachable, "the connection to \(server) failed: \(error)")
        }
    }

    /// The error that the server named in the call's details, if it did.
    private init?(named error: RPCError) {
        // Details that cannot be read name nothing; the status code still says what happened.
        guard let status = try? error.unpackGoogleRPCStatus() else { return nil }
        for detail in status.details {
            guard let info = detail.errorInfo, let code = Code(text: info.reason) else { continue }
            // The server ends its text with the code, for clients that know no details.
            let suffix = " [\(code)]"
            let message =
                error.message.hasSuffix(suffix)
                ? String(error.message.dropLast(suffix.count)) : error.message
            self.init(
                code, message, hint: info.metadata["hint"],
                isRetryable: code.fault == nil ? error.code == .unavailable : nil,
                validOffsets: Self.offsets(in: info.metadata))
            return
        }
        return nil
    }

    /// The error of a call that the server did not name: the transport's own failures, and servers
    /// that are not Cordwood.
    private init(transport error: RPCError, server: String) {
        let text = Self.text(of: error)
        switch error.code {
        case .cancelled:
            self.init(.cancelled, "the call was cancelled")
        case .deadlineExceeded:
            self.init(.deadlineExceeded, "\(server) did not answer in time")
        case .unavailable:
            self.init(.unreachable, "no answer from \(server): \(text)")
        case .resourceExhausted:
            self.init(.batchTooLarge, "a message is over the limit: \(text)")
        case .unknown where error.cause != nil, .internalError where error.cause != nil:
            // The transport sets a cause where it failed itself; a server's status has none.
            self.init(.unreachable, "the connection to \(server) failed: \(text)")
        default:
            self.init(.unexpectedAnswer, "\(server) answered \(error.code): \(text)")
        }
    }

    /// The failure of one batch of a stream.
    init(_ error: Cordwood_V1_Error) {
        let code = Code(text: error.code) ?? .unexpectedAnswer
        self.init(code, error.message, isRetryable: error.retryable)
    }

    /// What went wrong at the bottom: the transport wraps it several deep.
    private static func text(of error: RPCError) -> String {
        var innermost: any Error = error
        while let cause = (innermost as? RPCError)?.cause { innermost = cause }
        let text = (innermost as? RPCError)?.message ?? "\(innermost)"
        // The most frequent one, which the transport calls a reset connection, in plain words.
        return text.contains("Connection refused") ? "connection refused" : text
    }

    private static func offsets(in metadata: [String: String]) -> Range<Offset>? {
        guard let first = metadata["first_offset"].flatMap(Int64.init),
            let next = metadata["next_offset"].flatMap(Int64.init), first <= next
        else { return nil }
        return Offset(first)..<Offset(next)
    }
}

extension CordwoodError.Code {
    /// The code that a text such as `CW-1007` names, known to this version or not.
    init?(text: String) {
        guard text.hasPrefix("CW-"), let number = Int(text.dropFirst(3)) else { return nil }
        self.init(rawValue: number)
    }
}
