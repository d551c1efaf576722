// SPDX-License-Identifier: Apache-2.0

/// What Cordwood stores: a key, a value, headers and a time; an offset once it is in a log.
///
/// A record lives at the edges only. Between a client and the disk it is a few bytes inside a
/// ``RecordBatch``.
public struct Record: Sendable, Hashable {
    /// Where the record stands in its log; 0 before it was appended.
    public var offset: Offset
    /// When it was made, or when it was appended, as the topic says.
    public var timestamp: Timestamp
    /// What groups records: equal keys go to one partition.
    ///
    /// `nil` and empty differ.
    public var key: [UInt8]?
    /// The content.
    ///
    /// `nil` marks a deletion in a compacted topic.
    public var value: [UInt8]?
    /// Names and values beside the content, in order; names may repeat.
    public var headers: [Header]

    /// A header of a record.
    public struct Header: Sendable, Hashable {
        /// The name, as UTF-8.
        public var name: String
        /// The value.
        ///
        /// `nil` and empty differ.
        public var value: [UInt8]?

        /// A header with these values.
        public init(_ name: String, _ value: [UInt8]?) {
            self.name = name
            self.value = value
        }
    }

    /// A record with these values.
    public init(
        key: [UInt8]? = nil, value: [UInt8]?, headers: [Header] = [],
        timestamp: Timestamp = .none, offset: Offset = .zero
    ) {
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }
}
