// SPDX-License-Identifier: Apache-2.0

import KafkaProtocol

/// Reads bytes as a message of Kafka's protocol; one that can be read is written and read again.
///
/// The first byte chooses the kind of request, the second a version, and with its high bit the answer.
/// The rest is read as a whole request with its header as well.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzKafkaMessages(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count >= 2 else { return 0 }
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    let keys = ApiKey.allCases
    let key = keys[Int(bytes[0]) % keys.count]
    let versions = Array(key.versions)
    let version = versions[Int(bytes[1] & 0x7f) % versions.count]
    let type = bytes[1] & 0x80 == 0 ? key.requestType : key.responseType
    let content = UnsafeRawBufferPointer(rebasing: bytes[2...])
    readAgain(type, version, content)
    readRequest(content)
    return 0
}

/// What was read and written once more must be the same.
private func readAgain<Message: KafkaMessage>(
    _ type: Message.Type, _ version: Int16, _ bytes: UnsafeRawBufferPointer
) {
    var reader = KafkaReader(bytes)
    do {
        let first = try type.init(from: &reader, version: version)
        // Records are places in the bytes read, which cannot be written.
        guard !(first is ProduceRequest), !(first is FetchResponse) else { return }
        var writer = KafkaWriter()
        first.encode(into: &writer, version: version)
        let second = try writer.bytes.withUnsafeBytes { written in
            var reader = KafkaReader(written)
            return try Message(from: &reader, version: version)
        }
        precondition(first == second, "\(type) \(version) is not what was written")
    } catch {
        // Refused: the usual end of such bytes.
    }
}

/// Reads a request as the server does.
private func readRequest(_ bytes: UnsafeRawBufferPointer) {
    var reader = KafkaReader(bytes)
    do throws(KafkaDecodingError) {
        let start = try RequestStart(from: &reader)
        guard let key = ApiKey(rawValue: start.apiKey), key.versions.contains(start.apiVersion)
        else { return }
        let headerVersion = key.requestHeaderVersion(for: start.apiVersion)
        _ = try RequestRest(from: &reader, headerVersion: headerVersion)
        _ = try key.requestType.init(from: &reader, version: start.apiVersion)
    } catch {
        precondition(error.position <= bytes.count)
        precondition(!error.description.isEmpty)
    }
}
