// SPDX-License-Identifier: Apache-2.0

public import Faults
internal import GRPCCore
internal import GRPCProtobuf
internal import LogAPI

extension ErrorCode {
    /// The gRPC status of a failure.
    ///
    /// What is wrong with the request itself, and so fails however often it is sent, is
    /// INVALID_ARGUMENT: also a batch over the limit, since RESOURCE_EXHAUSTED tells clients to try
    /// again. DATA_LOSS is damage, on the disk or on the way. The stable code in the details is
    /// finer than the status.
    var status: RPCError.Code {
        switch self {
        case .invalidArgument, .invalidTopicName, .invalidPartitionCount, .batchTooLarge,
            .invalidBatch, .unsupportedCompression, .invalidGroup, .invalidSetting, .unknownSetting:
            .invalidArgument
        case .topicNotFound, .partitionNotFound, .groupNotFound, .memberNotFound: .notFound
        case .topicExists: .alreadyExists
        case .offsetOutOfRange: .outOfRange
        case .diskFull, .overloaded: .resourceExhausted
        case .dataLoss, .corruptBatch: .dataLoss
        case .outOfOrderSequence, .invalidProducerEpoch, .groupNotEmpty, .partitionReadOnly,
            .dataDirectoryLocked, .dataDirectoryUnusable,
            .unsupportedFormat, .gossipNotRunning, .gossipNotEncrypted,
            .keysDiffer:
            .failedPrecondition
        case .shuttingDown, .notLeader, .unreachable, .joinFailed: .unavailable
        case .deadlineExceeded: .deadlineExceeded
        case .cancelled: .cancelled
        case .storageFailed, .addressInUse, .plaintextRefused, .internalError, .unknownKey,
            .invalidValue, .configurationUnreadable, .closed, .unexpectedAnswer,
            .inputUnreadable, .outputFailed, .invalidUsage, .notConfirmed:
            .internalError
        }
    }
}

extension Fault {
    /// The domain of the reasons in error details.
    static let domain = "cordwood"

    /// The failure as the end of a call: its status, and in the details a google.rpc.ErrorInfo with
    /// the stable code as the reason.
    ///
    /// - Parameter localizedMessage: For log.v1, whose clients look for a LocalizedMessage.
    func rpcError(localizedMessage: String? = nil) -> RPCError {
        var metadata: [String: String] = [:]
        if let hint { metadata["hint"] = hint }
        if let validOffsets {
            // Of lost records the range says what is lost, otherwise what is there.
            let subject = code == .dataLoss ? "damaged_" : ""
            metadata["\(subject)first_offset"] = String(validOffsets.lowerBound)
            metadata["\(subject)next_offset"] = String(validOffsets.upperBound)
        }
        var details: [ErrorDetails] = [
            .errorInfo(reason: code.text, domain: Self.domain, metadata: metadata)
        ]
        if let localizedMessage {
            details.append(.localizedMessage(locale: "en-US", message: localizedMessage))
        }
        return RPCError(
            GoogleRPCStatus(code: code.status, message: description, details: details))
    }

    /// The details of the failure's status, as the header `grpc-status-details-bin` carries them;
    /// for handlers that end a call before a service sees it.
    public var statusDetails: [UInt8] {
        rpcError().metadata[binaryValues: "grpc-status-details-bin"].first { _ in true } ?? []
    }

    /// The failure as one of several results in a message.
    var errorMessage: Cordwood_V1_Error {
        var message = Cordwood_V1_Error()
        message.code = code.text
        message.message = self.message
        message.grpcCode = Int32(clamping: code.status.rawValue)
        message.retryable = code.isRetryable
        return message
    }
}

/// Runs a call's body and gives what it throws its status.
///
/// - Parameter wantedOffset: The offset that a call of log.v1 asked for, to tell people of it when
///   it is out of range.
func withStatus<Value>(
    for wantedOffset: UInt64? = nil, _ body: () async throws -> Value
) async throws -> Value {
    do {
        return try await body()
    } catch let fault as Fault {
        guard let wantedOffset, fault.code == .offsetOutOfRange else { throw fault.rpcError() }
        throw fault.rpcError(localizedMessage: "The log has no record at offset \(wantedOffset).")
    } catch is CancellationError {
        throw Fault(.cancelled, "the caller cancelled the call").rpcError()
    } catch let error as RPCError {
        throw error
    } catch {
        throw Fault(.internalError, "unexpected failure: \(error)").rpcError()
    }
}
