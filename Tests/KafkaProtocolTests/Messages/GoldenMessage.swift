// SPDX-License-Identifier: Apache-2.0

import Foundation
import KafkaProtocol

/// A message of `Golden/`: bytes and value as another client has them.
struct GoldenMessage {
    let key: ApiKey
    let isRequest: Bool
    let version: Int16
    /// Whether all fields have values, rather than as few as can be.
    let isFull: Bool
    /// The value, without fields that have their defaults.
    let text: String
    let bytes: [UInt8]

    var type: any KafkaMessage.Type { isRequest ? key.requestType : key.responseType }

    /// The messages of one kind of request and its answer.
    static func all(of key: ApiKey) throws -> [GoldenMessage] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Golden/\(key.name).txt")
        let blocks = try String(contentsOf: file, encoding: .utf8).split(separator: "\n\n")
        return try blocks.map { try GoldenMessage(key: key, block: String($0)) }
    }

    private init(key: ApiKey, block: String) throws {
        let lines = block.split(separator: "\n")
        let title = (lines.first ?? "").split(separator: " ")
        guard lines.count >= 2, title.count == 3, let version = Int16(title[1]) else {
            throw Damaged(block: block)
        }
        let digits = Array(lines[2...].joined())
        self.key = key
        isRequest = title[0] == "request"
        isFull = title[2] == "full"
        self.version = version
        text = String(lines[1])
        bytes = try stride(from: 0, to: digits.count, by: 2).map { start in
            guard let byte = UInt8(String(digits[start...(start + 1)]), radix: 16) else {
                throw Damaged(block: block)
            }
            return byte
        }
    }

    /// A golden file that is not in its form.
    struct Damaged: Error {
        let block: String
    }
}

/// What reading a message came to.
struct Decoded {
    var message: any KafkaMessage
    /// How many bytes were read.
    var position: Int

    init(
        _ type: any KafkaMessage.Type, version: Int16, from bytes: [UInt8]
    ) throws(KafkaDecodingError) {
        let result = unsafe bytes.withUnsafeBytes { buffer in
            Result { () throws(KafkaDecodingError) in
                var reader = unsafe KafkaReader(buffer)
                let message: any KafkaMessage = try type.init(from: &reader, version: version)
                return (message, reader.position)
            }
        }
        (message, position) = try result.get()
        message = Self.holdingRecords(message, of: bytes)
    }

    /// The message with copies of its records, which are places in the bytes that were read.
    private static func holdingRecords(
        _ message: any KafkaMessage, of bytes: [UInt8]
    ) -> any KafkaMessage {
        func copied(_ records: KafkaRecords) -> KafkaRecords {
            guard case .slice(let range) = records else { return records }
            return .bytes([UInt8](bytes[range]))
        }
        switch message {
        case var produce as ProduceRequest:
            for topic in produce.topicData.indices {
                for partition in produce.topicData[topic].partitionData.indices {
                    let records = produce.topicData[topic].partitionData[partition].records
                    produce.topicData[topic].partitionData[partition].records = copied(records)
                }
            }
            return produce
        case var fetch as FetchResponse:
            for topic in fetch.responses.indices {
                for partition in fetch.responses[topic].partitions.indices {
                    let records = fetch.responses[topic].partitions[partition].records
                    fetch.responses[topic].partitions[partition].records = copied(records)
                }
            }
            return fetch
        default: return message
        }
    }

    /// Whether another reading came to the same values.
    func holdsSame(as other: Decoded) -> Bool {
        func equals<Message: KafkaMessage>(_ message: Message) -> Bool {
            other.message as? Message == message
        }
        return equals(message)
    }

    /// The bytes of the message.
    func encoded(version: Int16) -> [UInt8] {
        var writer = KafkaWriter()
        message.encode(into: &writer, version: version)
        return writer.bytes
    }
}
