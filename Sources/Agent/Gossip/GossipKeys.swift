// SPDX-License-Identifier: Apache-2.0

public import Faults
internal import Glibc
public import Membership

/// Reads keys of gossip from files.
///
/// No fault has anything of the file in it but its name and the number of a line.
public enum GossipKeys {
    /// No file of keys is this large.
    public static let sizeMax = 64 << 10
    /// More keys than any rotation needs.
    public static let countMax = 64

    /// The keys of a file: base64, one a line; empty lines and those that begin with `#` are none.
    ///
    /// Blocks.
    ///
    /// - Parameter key: The setting or option that names the file.
    /// - Throws: ``Faults/ErrorCode/invalidValue``.
    public static func read(_ path: String, of key: String) throws(Fault) -> [GossipKey] {
        let file = KeyFile(path: path, key: key)
        let bytes = try content(of: file)
        var keys: [GossipKey] = []
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            let text = String(decoding: line.filter { $0 > 0x20 }, as: UTF8.self)
            if text.isEmpty || text.hasPrefix("#") { continue }
            guard keys.count < countMax else {
                throw refusal(file, "has more than \(countMax) keys")
            }
            do throws(MembershipError) {
                keys.append(try GossipKey(base64: text))
            } catch {
                throw refusal(file, "line \(number + 1) is no base64 of 16, 24 or 32 bytes")
            }
        }
        guard !keys.isEmpty else { throw refusal(file, "has no key") }
        return keys
    }

    /// A file, and what names it.
    private struct KeyFile {
        var path: String
        var key: String
    }

    private static func content(of file: KeyFile) throws(Fault) -> [UInt8] {
        let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw refusal(file, "cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw refusal(file, "is no file")
        }
        guard status.st_mode & 0o007 == 0 else {
            throw Fault(
                .invalidValue, "\(file.key): \(file.path) can be read by everybody",
                hint: "chmod o= \(file.path)")
        }
        var bytes = [UInt8](repeating: 0, count: sizeMax + 1)
        var count = 0
        while count < bytes.count {
            let more = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(
                    descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            }
            if more < 0, errno == EINTR { continue }
            guard more >= 0 else {
                throw refusal(file, "cannot be read: \(String(cString: strerror(errno)))")
            }
            if more == 0 { return Array(bytes[..<count]) }
            count += more
        }
        throw refusal(file, "has more than \(sizeMax) bytes")
    }

    private static func refusal(_ file: KeyFile, _ what: String) -> Fault {
        Fault(
            .invalidValue, "\(file.key): \(file.path) \(what)",
            hint: "Make a key with `openssl rand -base64 32`, one a line.")
    }
}
