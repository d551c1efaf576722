// SPDX-License-Identifier: Apache-2.0

/// The part of a request's header that all versions share: it says how to read on.
public struct RequestStart: Sendable, Equatable {
    /// The kind of request; see ``ApiKey``.
    public var apiKey: Int16
    public var apiVersion: Int16
    /// The number that the answer has to carry.
    public var correlationID: Int32

    /// Reads the first eight bytes of a request.
    public init(from reader: inout KafkaReader) throws(KafkaDecodingError) {
        apiKey = try reader.readInt16()
        apiVersion = try reader.readInt16()
        correlationID = try reader.readInt32()
    }
}

/// The rest of a request's header.
public struct RequestRest: Sendable, Equatable {
    /// What the client calls itself.
    public var clientID: String?

    /// Reads the header behind its start.
    ///
    /// The client's name keeps its old form in all versions.
    public init(
        from reader: inout KafkaReader, headerVersion: Int16
    ) throws(KafkaDecodingError) {
        clientID = try reader.readNullableString(isFlexible: false)
        if headerVersion >= 2 { try reader.skipTags() }
    }
}

extension ApiKey {
    /// The version of the header of a request: 2 has tagged fields, 1 has none.
    public func requestHeaderVersion(for version: Int16) -> Int16 {
        isFlexible(version) ? 2 : 1
    }

    /// The version of the header of an answer: 1 has tagged fields, 0 has none.
    ///
    /// An answer about versions has none in any version, since whoever asks may not know better.
    public func responseHeaderVersion(for version: Int16) -> Int16 {
        self != .apiVersions && isFlexible(version) ? 1 : 0
    }

    private func isFlexible(_ version: Int16) -> Bool {
        guard let firstFlexibleVersion else { return false }
        return version >= firstFlexibleVersion
    }
}
