// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The file that keeps a node's keys: a JSON array of base64 texts, the first to encrypt with.
///
/// All calls block; none is made on an event loop. No error contains what stands in the file.
struct KeyringFile: Sendable {
    var path: String

    /// More than any keyring needs.
    private static let sizeMax = 64 << 10

    /// The keys of the file; `nil` if there is none.
    func read() throws(MembershipError) -> [GossipKey]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw failure("cannot be opened") }
        defer { close(descriptor) }
        try checkOwner(descriptor)
        let bytes = try content(descriptor)
        let texts = try array(of: bytes)
        guard !texts.isEmpty else { throw refusal("holds no key") }
        var keys: [GossipKey] = []
        for (index, text) in texts.enumerated() {
            do {
                keys.append(try GossipKey(base64: text))
            } catch {
                throw refusal("has no key of 16, 24 or 32 bytes in base64 at place \(index + 1)")
            }
        }
        return keys
    }

    /// Puts these keys in place of the file's: all of them or, after a crash, none.
    func write(_ keys: [GossipKey]) throws(MembershipError) {
        let text = "[" + keys.map { "\"\($0.base64)\"" }.joined(separator: ",") + "]\n"
        let draft = path + ".new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("cannot be written: \(draft)") }
        do {
            defer { close(descriptor) }
            // A draft that an earlier crash left may have another mode.
            guard fchmod(descriptor, 0o600) == 0 else { throw failure("cannot be made private") }
            try writeAll(Array(text.utf8), to: descriptor)
            guard fsync(descriptor) == 0 else { throw failure("cannot be synced") }
        }
        guard rename(draft, path) == 0 else { throw failure("cannot be renamed to") }
        try syncDirectory()
    }

    private func checkOwner(_ descriptor: CInt) throws(MembershipError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("cannot be inspected") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw refusal("is no regular file") }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw refusal("may be used by others (mode 0\(mode)); run 'chmod 600' on it")
        }
    }

    private func content(_ descriptor: CInt) throws(MembershipError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("cannot be read") }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= Self.sizeMax else {
                throw refusal("is over \(Self.sizeMax) bytes")
            }
        }
    }

    private func writeAll(_ bytes: [UInt8], to descriptor: CInt) throws(MembershipError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("cannot be written") }
            rest = rest.dropFirst(count)
        }
    }

    /// The new name is on the disk only when the directory is.
    private func syncDirectory() throws(MembershipError) {
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot be synced in its directory") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("cannot be synced in its directory") }
    }

    /// The texts of a JSON array of texts without escapes, which is all that base64 needs.
    private func array(of bytes: [UInt8]) throws(MembershipError) -> [String] {
        var place = 0
        func skipSpace() {
            while place < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[place]) {
                place += 1
            }
        }
        func take(_ letter: Unicode.Scalar) -> Bool {
            skipSpace()
            guard place < bytes.count, bytes[place] == UInt8(ascii: letter) else { return false }
            place += 1
            return true
        }
        let malformed = refusal("is no JSON array of texts in base64")
        guard take("[") else { throw malformed }
        var texts: [String] = []
        if !take("]") {
            repeat {
                guard take("\""), let end = bytes[place...].firstIndex(of: UInt8(ascii: "\""))
                else {
                    throw malformed
                }
                // JSON may write the slash of base64 with a backslash before it.
                let letters = bytes[place..<end].filter { $0 != UInt8(ascii: "\\") }
                texts.append(String(decoding: letters, as: UTF8.self))
                place = end + 1
            } while take(",")
            guard take("]") else { throw malformed }
        }
        skipSpace()
        guard place == bytes.count else { throw malformed }
        return texts
    }

    private func refusal(_ what: String) -> MembershipError {
        MembershipError(.keyringFile, "the keyring file \(path) \(what)")
    }

    private func failure(_ what: String) -> MembershipError {
        let number = errno
        let reason = String(cString: strerror(number))
        return MembershipError(.keyringFile, "the keyring file \(path) \(what): \(reason)")
    }
}
