// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Reads a fact's bytes forwards.
///
/// What claims to be longer than the bytes that are left is refused before anything is allocated.
struct FactReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type, _ what: String
    ) throws(GroupRecordError) -> Value {
        let size = MemoryLayout<Value>.size
        guard bytes.count - position >= size else { throw .malformed("cut short in \(what)") }
        defer { position += size }
        return unsafe bytes.withUnsafeBytes { unsafe $0.bigEndian(at: position) }
    }

    mutating func text(_ what: String) throws(GroupRecordError) -> String {
        guard let text = try optionalText(what) else { throw .malformed("without \(what)") }
        return text
    }

    mutating func optionalText(_ what: String) throws(GroupRecordError) -> String? {
        let size = Int(try integer(UInt16.self, what))
        guard size != Int(UInt16.max) else { return nil }
        guard let text = String(validating: try take(size, what), as: UTF8.self) else {
            throw .malformed("no UTF-8 in \(what)")
        }
        return text
    }

    mutating func blob(_ what: String) throws(GroupRecordError) -> [UInt8] {
        Array(try take(Int(try integer(UInt32.self, what)), what))
    }

    mutating func expectVersion(_ version: UInt8) throws(GroupRecordError) {
        let found = try integer(UInt8.self, "the version")
        guard found == version else { throw .unknownVersion(found) }
    }

    func expectEnd(_ what: String) throws(GroupRecordError) {
        guard position == bytes.count else {
            throw .malformed("\(bytes.count - position) bytes behind \(what)")
        }
    }

    private mutating func take(
        _ size: Int, _ what: String
    ) throws(GroupRecordError) -> ArraySlice<UInt8> {
        guard bytes.count - position >= size else { throw .malformed("cut short in \(what)") }
        defer { position += size }
        return bytes[position..<(position + size)]
    }
}
