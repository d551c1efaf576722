// SPDX-License-Identifier: Apache-2.0

import Disk
import Foundation
import PosixDisk
import Testing

/// A small disk of its own in memory, if this machine lets us have one.
private final class SmallDisk {
    let path: String

    init?(size: String) {
        path = "/tmp/cordwood-tmpfs-\(getpid())-\(UInt64.random(in: 0...(.max)))"
        guard mkdir(path, 0o700) == 0 else { return nil }
        guard Self.run("mount", "-t", "tmpfs", "-o", "size=\(size)", "none", path) else {
            rmdir(path)
            return nil
        }
    }

    deinit {
        _ = Self.run("umount", path)
        rmdir(path)
    }

    static let isPossible = SmallDisk(size: "64k") != nil

    private static func run(_ words: String...) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.standardError = nil
        do {
            try process.run()
        } catch {
            return false
        }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}

@Suite("The machine's file system")
struct PosixFileSystemTests {
    @Test(
        "says when a disk is full and goes on when there is room",
        .enabled(if: SmallDisk.isPossible))
    func fillsDisk() throws {
        let disk = try #require(SmallDisk(size: "1m"))
        let files = PosixFileSystem()
        let first = try files.open(disk.path + "/a", .create)
        try first.write([UInt8](repeating: 1, count: 600_000), at: 0)
        let second = try files.open(disk.path + "/b", .create)
        #expect(
            reason { try second.write([UInt8](repeating: 2, count: 600_000), at: 0) } == .noSpace)
        #expect(try files.space(at: disk.path).free < 4096)
        #expect(try files.space(at: disk.path).total == 1 << 20)
        try files.remove(disk.path + "/a")
        #expect(
            reason { try second.write([UInt8](repeating: 2, count: 600_000), at: 0) } == .noSpace)
        // The removed file kept its room for as long as it was open.
        withExtendedLifetime(first) {}
    }

    @Test("never follows a link, and waits for no pipe")
    func refusesLinks() throws {
        let disk = try TestDisk(.posix)
        _ = try disk.files.open(disk.path("a"), .create)
        try #require(symlink(disk.path("a"), disk.path("link")) == 0)
        try #require(mkfifo(disk.path("pipe"), 0o600) == 0)
        #expect(try disk.files.status(of: disk.path("link"))?.kind == .other)
        #expect(try disk.files.status(of: disk.path("pipe"))?.kind == .other)
        #expect(reason { _ = try disk.files.open(disk.path("link"), .readWrite) } == .other)
        #expect(reason { _ = try disk.files.open(disk.path("pipe"), .read) } == .other)
        #expect(reason { _ = try disk.files.open(disk.path("pipe"), .readWrite) } == .other)
    }

    @Test("hands no descriptor on to a child process")
    func closesOnExec() throws {
        let disk = try TestDisk(.posix)
        let file = try disk.files.open(disk.path("a"), .create)
        let lock = try disk.files.lock(disk.path("b"))
        let numbers = try openNumbers(disk.directory)
        #expect(numbers.keys.sorted() == ["a", "b"])
        for (name, number) in numbers {
            #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0, "\(name)")
        }
        withExtendedLifetime((file, lock)) {}
    }

    @Test("is denied what the system denies", .enabled(if: getuid() != 0))
    func refusesPermission() throws {
        #expect(reason { _ = try PosixFileSystem().open("/etc/shadow", .readWrite) } == .permission)
    }
}
