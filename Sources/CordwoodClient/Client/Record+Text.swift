// SPDX-License-Identifier: Apache-2.0

// The record's own types are declared below, for the server's sake, and are this library's too.
@_exported public import struct Records.Offset
@_exported public import struct Records.Record
@_exported public import struct Records.Timestamp

extension Record {
    /// A record whose key and value are text, stored as UTF-8.
    ///
    /// - Parameters:
    ///   - value: The content.
    ///   - key: What groups records: equal keys go to one partition.
    ///   - headers: Names and values beside the content, in order.
    ///   - timestamp: When the record was made; the time of sending where none is given.
    public init(
        _ value: String, key: String? = nil, headers: KeyValuePairs<String, String> = [:],
        timestamp: Timestamp = .none
    ) {
        self.init(
            key: key.map { [UInt8]($0.utf8) }, value: [UInt8](value.utf8),
            headers: headers.map { Header($0.key, [UInt8]($0.value.utf8)) }, timestamp: timestamp)
    }
}
