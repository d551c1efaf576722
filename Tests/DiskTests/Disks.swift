// SPDX-License-Identifier: Apache-2.0

import Disk
import Glibc
import PosixDisk
import SimulatedDisk

/// The file systems that must behave alike.
enum Implementation: CaseIterable, Sendable {
    case posix
    /// With so few descriptors that nearly every call opens its file anew.
    case posixStarved
    case simulated
    case simulatedInMemory
}

/// A file system and an empty directory on it, which goes with the object.
final class TestDisk {
    let files: any FileSystem
    let directory: String

    init(_ implementation: Implementation) throws {
        switch implementation {
        case .posix: files = PosixFileSystem()
        case .posixStarved: files = PosixFileSystem(descriptorLimit: 1)
        case .simulated: files = SimulatedFileSystem(seed: 1)
        case .simulatedInMemory: files = SimulatedFileSystem(modelsPowerCuts: false)
        }
        directory = "/tmp/cordwood-disk-\(getpid())-\(UInt64.random(in: 0...(.max)))"
        try files.createDirectory(directory)
    }

    deinit {
        // Nothing to be done about a folder that cannot be removed.
        try? Self.removeTree(directory, files)
    }

    func path(_ name: String) -> String { directory + "/" + name }

    private static func removeTree(_ path: String, _ files: any FileSystem) throws {
        for name in try files.list(path) {
            let child = path + "/" + name
            if try files.status(of: child)?.kind == .directory {
                try removeTree(child, files)
            } else {
                try files.remove(child)
            }
        }
        try files.removeDirectory(path)
    }
}

extension File {
    func write(_ bytes: [UInt8], at position: UInt64) throws {
        try bytes.withUnsafeBytes { pointer in try write([pointer], at: position) }
    }

    func write(pieces: [[UInt8]], at position: UInt64) throws {
        let all = pieces.flatMap { $0 }
        try all.withUnsafeBytes { pointer in
            var start = 0
            var parts: [UnsafeRawBufferPointer] = []
            for piece in pieces {
                parts.append(
                    UnsafeRawBufferPointer(rebasing: pointer[start..<(start + piece.count)]))
                start += piece.count
            }
            try write(parts, at: position)
        }
    }

    func read(_ count: Int, at position: UInt64) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xee, count: count)
        let got = try bytes.withUnsafeMutableBytes { buffer in
            try read(into: buffer, at: position)
        }
        return Array(bytes.prefix(got))
    }

    func readIfCached(_ count: Int, at position: UInt64) throws -> [UInt8]? {
        var bytes = [UInt8](repeating: 0xee, count: count)
        let got = try bytes.withUnsafeMutableBytes { buffer in
            try readIfCached(into: buffer, at: position)
        }
        return got.map { Array(bytes.prefix($0)) }
    }
}

/// The reason of the error that a call throws; `nil` if it throws none.
func reason(_ call: () throws -> Void) -> FileError.Reason? {
    do {
        try call()
        return nil
    } catch {
        return (error as? FileError)?.reason
    }
}

/// The process's descriptors of files in a directory, by file name.
func openNumbers(_ directory: String) throws -> [String: Int32] {
    var numbers: [String: Int32] = [:]
    for number in try PosixFileSystem().list("/proc/self/fd").compactMap({ Int32($0) }) {
        var target = [UInt8](repeating: 0, count: 4096)
        let count = target.withUnsafeMutableBytes { buffer in
            buffer.baseAddress.map { readlink("/proc/self/fd/\(number)", $0, buffer.count) }
                ?? 0
        }
        let path = String(decoding: target.prefix(max(0, count)), as: UTF8.self)
        if path.hasPrefix(directory + "/") {
            numbers[String(path.dropFirst(directory.count + 1))] = number
        }
    }
    return numbers
}
