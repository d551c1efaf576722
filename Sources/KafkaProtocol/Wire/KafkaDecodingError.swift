// SPDX-License-Identifier: Apache-2.0

/// Why bytes are not the message that they should be.
public struct KafkaDecodingError: Error, Sendable, Equatable {
    /// What is wrong.
    public enum Reason: Sendable, Equatable {
        /// The bytes end before the message does.
        case cutShort
        /// A length or count that is negative, or larger than what is left.
        case badLength(Int64)
        /// Nothing where there has to be something.
        case unexpectedNull
        /// A number with variable length that is too long or too large.
        case badVarint
        /// A text that is not UTF-8.
        case badText
        /// A tagged field that is not as long as it says, or does not come in order.
        case badTag
        /// More elements than a request of its size has any use for.
        case tooManyElements
    }

    public var reason: Reason
    /// Where in the message, in bytes.
    public var position: Int
}

extension KafkaDecodingError: CustomStringConvertible {
    /// What is wrong and where.
    public var description: String { "\(text) at byte \(position)" }

    private var text: String {
        switch reason {
        case .cutShort: "it is cut short"
        case .badLength(let length): "a length of \(length)"
        case .unexpectedNull: "nothing where something has to be"
        case .badVarint: "a number that is too long"
        case .badText: "a text that is not UTF-8"
        case .badTag: "a tagged field that does not fit its length or order"
        case .tooManyElements: "more elements than a request of its size may have"
        }
    }
}
