// SPDX-License-Identifier: Apache-2.0

internal import SerfCore

extension MembershipError {
    /// What the core's refusal means to our caller.
    init(_ error: SerfError) {
        let code: Code =
            switch error {
            case .notRunning, .stopped: .closed
            case .invalidName: .invalidSettings
            case .tagsTooLarge, .eventTooLarge, .queryTooLarge, .responseTooLarge: .tooLarge
            case .unknownMember: .unknownMember
            case .keySize: .invalidKey
            case .joinFailed: .joinFailed
            case .broadcastTimedOut: .timedOut
            case .tooMany, .reservedName, .ownName, .queryOver, .alreadyAnswered, .noKeyring,
                .keyCount, .keyNotInstalled, .keyIsPrimary:
                .refused
            }
        self.init(code, error.description, cause: error)
    }
}
