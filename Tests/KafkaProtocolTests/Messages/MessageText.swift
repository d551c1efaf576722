// SPDX-License-Identifier: Apache-2.0

import KafkaProtocol

/// Values of messages as text, and what memory they take: both found by reflection, so that nothing
/// is asked of the code that is tested.
enum MessageText {
    /// The text of a value in the form of the golden files.
    static func of(_ value: Any) -> String {
        switch value {
        case let text as String: return "\"\(text)\""
        case let id as KafkaUUID: return digits(id.high, 16) + digits(id.low, 16)
        case let code as KafkaErrorCode: return "\(code.rawValue)"
        case let records as KafkaRecords:
            guard case .bytes(let bytes) = records else { return "null" }
            return of(bytes)
        case let bytes as [UInt8] where type(of: value) == [UInt8].self:
            return "'\(bytes.map { digits(UInt64($0), 2) }.joined())'"
        case let structure as any KafkaStructure: return text(of: structure)
        default: break
        }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional: return mirror.children.first.map { of($0.value) } ?? "null"
        case .collection: return "[\(mirror.children.map { of($0.value) }.joined(separator: ", "))]"
        default: return "\(value)"
        }
    }

    private static func text(of structure: any KafkaStructure) -> String {
        let unset = Mirror(reflecting: type(of: structure).init())
        let fields = zip(Mirror(reflecting: structure).children, unset.children)
            .compactMap { field, unset -> String? in
                let value = of(field.value)
                return value == of(unset.value) ? nil : "\(field.label ?? ""): \(value)"
            }
        return "{\(fields.joined(separator: ", "))}"
    }

    private static func digits(_ number: UInt64, _ width: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: width - text.count) + text
    }

    /// The memory of all arrays in a value, in bytes, without their headers.
    static func arrayBytes(in value: Any) -> Int {
        let mirror = Mirror(reflecting: value)
        var size = 0
        if mirror.displayStyle == .collection, let first = mirror.children.first {
            size = mirror.children.count * stride(ofElement: first.value)
        }
        for child in mirror.children where Mirror(reflecting: child.value).children.count > 0 {
            size += arrayBytes(in: child.value)
        }
        return size
    }

    private static func stride(ofElement element: Any) -> Int {
        func stride<Structure: KafkaStructure>(_: Structure) -> Int {
            MemoryLayout<Structure>.stride
        }
        switch element {
        case let structure as any KafkaStructure: return stride(structure)
        case is String: return MemoryLayout<String>.stride
        case is Int32: return MemoryLayout<Int32>.stride
        case is KafkaUUID: return MemoryLayout<KafkaUUID>.stride
        default: return 1
        }
    }
}
