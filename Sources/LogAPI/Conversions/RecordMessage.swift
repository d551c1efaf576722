// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Foundation
public import Records

extension Cordwood_V1_Record {
    /// The message of a record.
    public init(_ record: Record) {
        self.init()
        offset = record.offset.rawValue
        if record.timestamp != .none { timestampMs = record.timestamp.rawValue }
        if let key = record.key { self.key = Data(key) }
        if let value = record.value { self.value = Data(value) }
        headers = record.headers.map(Cordwood_V1_Header.init)
    }

    /// The message of a record inside a batch, copied straight from the batch's bytes.
    ///
    /// - Parameters:
    ///   - view: Where the record lies, as a cursor over the same bytes found it.
    ///   - records: The batch's records section, uncompressed.
    ///   - header: The batch's header.
    public init(_ view: RecordView, in records: UnsafeRawBufferPointer, header: BatchHeader) {
        self.init()
        offset = header.baseOffset.rawValue &+ Int64(view.offsetDelta)
        let timestamp = header.timestamp(of: view)
        if timestamp != .none { timestampMs = timestamp.rawValue }
        if let key = view.key { self.key = records.data(key) }
        if let value = view.value { self.value = records.data(value) }
        if view.headerCount > 0 {
            headers = Record.Header.headers(of: view, in: records).map(Cordwood_V1_Header.init)
        }
    }

    /// About how many bytes the message takes inside another.
    public var sizeEstimate: Int {
        var size = 24
        if hasKey { size += key.count + 4 }
        if hasValue { size += value.count + 4 }
        for header in headers { size += header.name.utf8.count + header.value.count + 12 }
        return size
    }
}

extension Cordwood_V1_Header {
    /// The message of a header.
    public init(_ header: Record.Header) {
        self.init()
        name = header.name
        if let value = header.value { self.value = Data(value) }
    }
}

extension Record {
    /// The record of a message.
    ///
    /// - Parameter defaultTimestamp: The timestamp where the message has none.
    public init(_ message: Cordwood_V1_Record, defaultTimestamp: Timestamp = .none) {
        self.init(
            key: message.hasKey ? [UInt8](message.key) : nil,
            value: message.hasValue ? [UInt8](message.value) : nil,
            headers: message.headers.map(Header.init),
            timestamp: message.hasTimestampMs
                ? Timestamp(milliseconds: message.timestampMs) : defaultTimestamp,
            offset: Offset(message.offset))
    }
}

extension Record.Header {
    /// The header of a message.
    public init(_ message: Cordwood_V1_Header) {
        self.init(message.name, message.hasValue ? [UInt8](message.value) : nil)
    }

    /// The headers of a record inside a batch.
    ///
    /// The cursor that made the view has checked the lengths; should the view belong to other
    /// bytes, what is found so far comes back.
    static func headers(of view: RecordView, in records: UnsafeRawBufferPointer) -> [Self] {
        var headers: [Self] = []
        headers.reserveCapacity(view.headerCount)
        var cursor = view.headers.lowerBound
        for _ in 0..<view.headerCount {
            guard let nameLength = Varint.readZigZag32(records, at: &cursor), nameLength >= 0,
                Int(nameLength) <= records.count - cursor
            else { break }
            let name = records[cursor..<(cursor + Int(nameLength))]
            cursor += Int(nameLength)
            guard let valueLength = Varint.readZigZag32(records, at: &cursor),
                Int(valueLength) <= records.count - cursor
            else { break }
            let value =
                valueLength < 0 ? nil : [UInt8](records[cursor..<(cursor + Int(valueLength))])
            cursor += max(0, Int(valueLength))
            headers.append(Self(String(decoding: name, as: UTF8.self), value))
        }
        return headers
    }
}

extension BatchBuilder {
    /// Appends the record of a message.
    ///
    /// - Parameter defaultTimestamp: The timestamp where the message has none.
    public mutating func append(_ message: Cordwood_V1_Record, defaultTimestamp: Timestamp) {
        let headers = message.headers.isEmpty ? [] : message.headers.map(Record.Header.init)
        let timestamp =
            message.hasTimestampMs ? Timestamp(milliseconds: message.timestampMs) : defaultTimestamp
        message.key.withUnsafeBytes { key in
            message.value.withUnsafeBytes { value in
                _ = append(
                    keyBytes: message.hasKey ? key : nil,
                    valueBytes: message.hasValue ? value : nil,
                    headers: headers, timestamp: timestamp)
            }
        }
    }
}

extension BatchBuffer {
    /// A copy of an encoded batch.
    public convenience init(copying batch: Data) {
        self.init(capacity: batch.count)
        batch.withUnsafeBytes { room.copyMemory(from: $0) }
        setCount(batch.count)
    }
}

extension BatchHeader {
    /// The timestamp of one of the batch's records.
    func timestamp(of view: RecordView) -> Timestamp {
        attributes.isLogAppendTime
            ? maxTimestamp : Timestamp(rawValue: baseTimestamp.rawValue &+ view.timestampDelta)
    }
}

extension UnsafeRawBufferPointer {
    /// A copy of some of the bytes.
    func data(_ range: Range<Int>) -> Data {
        guard let baseAddress, !range.isEmpty else { return Data() }
        return Data(bytes: baseAddress + range.lowerBound, count: range.count)
    }
}
