// SPDX-License-Identifier: Apache-2.0

internal import LogAPI
internal import SwiftProtobuf
internal import Synchronization

/// Finds the descriptions of protos by file and by symbol.
///
/// Decoded at the first question: most servers are never asked.
final class DescriptorIndex: Sendable {
    /// What is asked.
    enum Question {
        case services
        case file(name: String)
        case symbol(String)
        case fileOfExtension(of: String)
        case extensionNumbers(of: String)
        case nothing
    }

    /// What is answered.
    enum Answer: Equatable {
        case services([String])
        /// Serialized files: the one asked for, then what it imports.
        case files([[UInt8]])
        /// No message has extensions.
        case extensionNumbers(of: String)
        case notFound(String)
        case malformed(String)
    }

    private struct Files {
        var byName: [String: Google_Protobuf_FileDescriptorProto] = [:]
        /// The file of each symbol.
        var bySymbol: [String: String] = [:]
        var messages: Set<String> = []
    }

    private let services: [String]
    private let files = Mutex<Files?>(nil)

    /// An index that lists these services.
    init(services: [String]) {
        self.services = services.sorted()
    }

    /// Answers a question.
    func answer(_ question: Question) throws -> Answer {
        try files.withLock { files in
            let index = files ?? Self.build()
            files = index
            switch question {
            case .services: return .services(services)
            case .file(let name):
                guard index.byName[name] != nil else { return .notFound("no file \(name)") }
                return .files(try Self.closure(of: name, in: index))
            case .symbol(let symbol):
                guard let name = index.bySymbol[symbol] else {
                    return .notFound("no symbol \(symbol)")
                }
                return .files(try Self.closure(of: name, in: index))
            case .fileOfExtension(let type):
                return .notFound("\(type) has no extensions")
            case .extensionNumbers(let type):
                return index.messages.contains(type)
                    ? .extensionNumbers(of: type) : .notFound("no message \(type)")
            case .nothing: return .malformed("the request asks nothing")
            }
        }
    }

    private static func closure(of name: String, in index: Files) throws -> [[UInt8]] {
        var names = [name]
        var position = 0
        while position < names.count {
            for dependency in index.byName[names[position]]?.dependency ?? []
            where !names.contains(dependency) {
                names.append(dependency)
            }
            position += 1
        }
        return try names.compactMap { try index.byName[$0]?.serializedBytes() }
    }

    private static func build() -> Files {
        var files = Files()
        for file in DescriptorSet.files() {
            files.byName[file.name] = file
            func add(_ symbol: String) { files.bySymbol[symbol] = file.name }
            func add(_ message: Google_Protobuf_DescriptorProto, in scope: String) {
                let name = "\(scope).\(message.name)"
                add(name)
                files.messages.insert(name)
                for field in message.field { add("\(name).\(field.name)") }
                for oneof in message.oneofDecl { add("\(name).\(oneof.name)") }
                for nested in message.nestedType { add(nested, in: name) }
                for nested in message.enumType { add(nested, in: name) }
            }
            func add(_ enumeration: Google_Protobuf_EnumDescriptorProto, in scope: String) {
                add("\(scope).\(enumeration.name)")
                // The values of an enum stand beside it, not inside.
                for value in enumeration.value { add("\(scope).\(value.name)") }
            }
            for message in file.messageType { add(message, in: file.package) }
            for enumeration in file.enumType { add(enumeration, in: file.package) }
            for service in file.service {
                let name = "\(file.package).\(service.name)"
                add(name)
                for method in service.method { add("\(name).\(method.name)") }
            }
        }
        return files
    }
}
