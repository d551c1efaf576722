// SPDX-License-Identifier: Apache-2.0

/// What the members said to a change or a listing of keys.
public struct KeyReport: Sendable, Equatable {
    /// What one member said.
    public struct Answer: Sendable, Equatable {
        /// The member's name.
        public var from: String
        /// Whether it did what was asked.
        public var isSuccess: Bool
        /// Why not, or what is worth knowing; often empty.
        public var message: String

        /// An answer.
        public init(from: String, isSuccess: Bool, message: String) {
            self.from = from
            self.isSuccess = isSuccess
            self.message = message
        }
    }

    /// How many members have a key.
    public struct KeyCount: Sendable, Equatable {
        /// The key in base64.
        ///
        /// A secret.
        public var key: String
        /// How many members named it.
        public var count: Int

        /// A key and how many members have it.
        public init(key: String, count: Int) {
            self.key = key
            self.count = count
        }
    }

    /// How many members were alive when the question was asked, this one included.
    public var memberCount: Int
    /// What they said, sorted by name.
    public var answers: [Answer] = []
    /// Members that were alive when the question was asked and did not answer, sorted.
    public var missing: [String] = []
    /// Of a listing: the keys that are installed somewhere, sorted.
    public var keys: [KeyCount] = []
    /// Of a listing: the keys that are primary somewhere, sorted.
    public var primaryKeys: [KeyCount] = []

    /// A report without answers.
    public init(memberCount: Int) {
        self.memberCount = memberCount
    }

    /// How many answers say that it was not done.
    public var errorCount: Int { answers.count { !$0.isSuccess } }

    /// Whether every live member has done what was asked.
    ///
    /// Without it the next step of a rotation may cut members off.
    public var isComplete: Bool { missing.isEmpty && errorCount == 0 }
}

extension KeyReport.KeyCount: CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The count, without the key.
    public var description: String { "a key of \(count) members" }

    /// The count, without the key.
    public var debugDescription: String { description }

    /// Nothing to look into.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
