// SPDX-License-Identifier: Apache-2.0

public import Records

/// How the records of log.v1 are stored: the value as it is, the type, unless it is 0, as decimal
/// digits in a header.
public enum BookRecord {
    /// The header that keeps a record's type.
    public static let typeHeader = "log.v1.type"
}

extension Record {
    /// The record to store for a message of log.v1; offset and term of the message do not count.
    public init(_ message: Log_V1_Record) {
        self.init(value: [UInt8](message.value))
        if message.type != 0 {
            headers = [Header(BookRecord.typeHeader, [UInt8](String(message.type).utf8))]
        }
    }
}

extension Log_V1_Record {
    /// The message of a record inside a batch.
    ///
    /// Keys and other headers, which only cordwood.v1 and Kafka clients write, are left out.
    ///
    /// - Parameters:
    ///   - view: Where the record lies, as a cursor over the same bytes found it.
    ///   - records: The batch's records section, uncompressed.
    ///   - header: The batch's header.
    public init(_ view: RecordView, in records: UnsafeRawBufferPointer, header: BatchHeader) {
        self.init()
        if let value = view.value { self.value = records.data(value) }
        offset = UInt64(clamping: header.baseOffset.rawValue &+ Int64(view.offsetDelta))
        term = UInt64(clamping: header.leaderEpoch)
        guard view.headerCount > 0 else { return }
        for header in Record.Header.headers(of: view, in: records)
        where header.name == BookRecord.typeHeader {
            type = UInt32(String(decoding: header.value ?? [], as: UTF8.self)) ?? 0
        }
    }
}
