// SPDX-License-Identifier: Apache-2.0

/// One configuration as Kafka's clients see it: of a topic, or of this broker.
struct ConfigEntry: Sendable, Equatable {
    /// Where a value comes from, with Kafka's numbers.
    enum Source: Int8, Sendable {
        case topic = 1
        case configurationFile = 4
        case `default` = 5
    }

    /// What a value is, with Kafka's numbers.
    enum Kind: Int8, Sendable {
        case boolean = 1
        case string = 2
        case int = 3
        case long = 5
        case list = 7
    }

    /// The same configuration in a place that is asked when this one says nothing.
    struct Synonym: Sendable, Equatable {
        var name: String
        var value: String
        var source: Source
    }

    var name: String
    var value: String
    var source: Source
    var kind: Kind
    /// It cannot be changed by a request.
    var isReadOnly: Bool
    var documentation: String
    /// All places that say something, the one that acts first.
    var synonyms: [Synonym]
}
