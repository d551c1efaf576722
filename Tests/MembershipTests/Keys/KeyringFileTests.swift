// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Membership

/// A folder that goes with the test.
func withFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

@Suite struct KeyringFileTests {
    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    private func put(_ text: String, at path: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    @Test("keys come back in order, from a file of one's own") func roundTrip() async throws {
        try await withFolder { folder in
            let file = KeyringFile(path: folder + "/keyring.json")
            #expect(try file.read() == nil)
            try file.write([otherKey, someKey])
            #expect(try file.read() == [otherKey, someKey])
            #expect(try mode(file.path) == 0o600)
            try file.write([someKey])
            #expect(try file.read() == [someKey])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["keyring.json"])
        }
    }

    @Test("a draft that a crash left behind is written over, and made private")
    func draft() async throws {
        try await withFolder { folder in
            let file = KeyringFile(path: folder + "/keyring.json")
            try put("[\"half", at: file.path + ".new", mode: 0o666)
            try file.write([someKey])
            #expect(try file.read() == [someKey])
            #expect(try mode(file.path) == 0o600)
        }
    }

    @Test("a file as agents write it is read") func agents() async throws {
        try await withFolder { folder in
            let file = KeyringFile(path: folder + "/keyring.json")
            try put("[\n  \"\(someKey.base64)\",\n  \"\(otherKey.base64)\"\n]\n", at: file.path)
            #expect(try file.read() == [someKey, otherKey])
            try put("[\"\(otherKey.base64.replacing("/", with: "\\/"))\"]", at: file.path)
            #expect(try file.read() == [otherKey])
        }
    }

    @Test(
        "what is no keyring is refused, and not repeated",
        arguments: [
            "", "[]", "{}", "[\"AAECAwQFBgcICQoLDA0ODw==\"", "[\"AAECAwQFBgcICQoLDA0ODw==\",]",
            "[\"AAECAwQFBgcICQoLDA0ODw==\"] x", "[\"AAECAwQFBgcICQo=\"]", "[1]",
            "AAECAwQFBgcICQoLDA0ODw==", "[\"AAECAwQFBgcICQoLDA0ODw\"]",
        ])
    func malformed(text: String) async throws {
        try await withFolder { folder in
            let file = KeyringFile(path: folder + "/keyring.json")
            try put(text, at: file.path)
            let error = #expect(throws: MembershipError.self) { try file.read() }
            #expect(error?.code == .keyringFile)
            #expect(error?.message.contains(file.path) == true)
            #expect(error.map { !"\($0)".contains("AAECAwQ") } == true)
        }
    }

    @Test("a file that others may use is refused", arguments: [0o640, 0o604, 0o644, 0o660])
    func permissions(mode: Int) async throws {
        try await withFolder { folder in
            let file = KeyringFile(path: folder + "/keyring.json")
            try put("[\"\(someKey.base64)\"]", at: file.path, mode: mode)
            let error = #expect(throws: MembershipError.self) { try file.read() }
            #expect(error?.message.contains("chmod 600") == true)
        }
    }

    @Test("a folder that is not there is named") func missingFolder() async throws {
        try await withFolder { folder in
            let file = KeyringFile(path: folder + "/none/keyring.json")
            let keys = try file.read()
            #expect(keys == nil)
            let error = #expect(throws: MembershipError.self) { try file.write([someKey]) }
            #expect(error?.code == .keyringFile)
            #expect(error?.message.contains(file.path) == true)
            let directory = KeyringFile(path: folder)
            #expect(throws: MembershipError.self) { try directory.read() }
        }
    }

    @Test("a file too large to be a keyring is refused") func tooLarge() async throws {
        try await withFolder { folder in
            let file = KeyringFile(path: folder + "/keyring.json")
            try put("[" + String(repeating: " ", count: 70_000) + "]", at: file.path)
            #expect(throws: MembershipError.self) { try file.read() }
        }
    }
}
