// SPDX-License-Identifier: Apache-2.0

/// The one error that a ``SerfNode`` throws.
///
/// Decide by ``code``, show ``message``. No message contains a key.
public struct MembershipError: Error, Sendable {
    /// What kind of failure this is.
    public var code: Code
    /// What happened, and what to set or do about it where that is known.
    public var message: String
    /// What failed underneath, if something did.
    public var cause: (any Error)?

    /// An error with these values.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension MembershipError: CustomStringConvertible {
    /// The message and the code in one line.
    public var description: String { "\(message) [\(code)]" }
}

extension MembershipError {
    /// A kind of failure; later versions may know more.
    public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// A stable name, such as `bind-failed`.
        public var rawValue: String

        /// The code of a name, known or not.
        public init(rawValue: String) { self.rawValue = rawValue }

        private init(_ name: String) { rawValue = name }

        /// The name.
        public var description: String { rawValue }

        /// A setting cannot be used.
        public static let invalidSettings = Self("invalid-settings")
        /// A text is no base64 of 16, 24 or 32 bytes.
        public static let invalidKey = Self("invalid-key")
        /// The keyring file is not there, cannot be read or written, or others may read it.
        public static let keyringFile = Self("keyring-file")
        /// The port cannot be had.
        public static let bindFailed = Self("bind-failed")
        /// A socket of the running node failed.
        public static let socketFailed = Self("socket-failed")
        /// Others could not reach the advertised address.
        public static let unreachableAddress = Self("unreachable-address")
        /// A name has no address.
        public static let unknownHost = Self("unknown-host")
        /// Another member of the same name is in the cluster, and most believe in it.
        public static let nameConflict = Self("name-conflict")
        /// No address of those given let the node join.
        public static let joinFailed = Self("join-failed")
        /// The other members could not be told in time.
        public static let timedOut = Self("timed-out")
        /// Tags, an event, a query or an answer are over their limit.
        public static let tooLarge = Self("too-large")
        /// There is no such member.
        public static let unknownMember = Self("unknown-member")
        /// The request cannot be done in the node's state; the message says why.
        public static let refused = Self("refused")
        /// The node does not run, or stopped before it answered.
        public static let closed = Self("closed")
    }
}
