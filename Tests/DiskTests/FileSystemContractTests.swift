// SPDX-License-Identifier: Apache-2.0

import Disk
import Testing

@Suite("Every file system")
struct FileSystemContractTests {
    @Test("gives back what was written, in pieces or whole", arguments: Implementation.allCases)
    func writesAndReads(_ implementation: Implementation) throws {
        let disk = try TestDisk(implementation)
        let file = try disk.files.open(disk.path("a"), .create)
        #expect(file.path == disk.path("a"))
        try file.write(pieces: [[1, 2], [], [3], [4, 5, 6]], at: 0)
        #expect(try file.size() == 6)
        #expect(try file.read(6, at: 0) == [1, 2, 3, 4, 5, 6])
        #expect(try file.read(2, at: 3) == [4, 5])
        try file.write([9, 9], at: 2)
        #expect(try file.read(10, at: 0) == [1, 2, 9, 9, 5, 6])
        try file.sync()
        #expect(try file.read(10, at: 0) == [1, 2, 9, 9, 5, 6])
    }

    @Test("takes more pieces in one write than the system does", arguments: Implementation.allCases)
    func writesManyPieces(_ implementation: Implementation) throws {
        let disk = try TestDisk(implementation)
        let file = try disk.files.open(disk.path("a"), .create)
        let pieces = (0..<2500).map { [UInt8](repeating: UInt8($0 % 251), count: 1 + $0 % 7) }
        try file.write(pieces: pieces, at: 3)
        let all = pieces.flatMap { $0 }
        #expect(try file.read(all.count + 10, at: 3) == all)
        #expect(try file.read(3, at: 0) == [0, 0, 0])
    }

    @Test("reads nothing at and behind the end", arguments: Implementation.allCases)
    func readsAtEnd(_ implementation: Implementation) throws {
        let disk = try TestDisk(implementation)
        let file = try disk.files.open(disk.path("a"), .create)
        try file.write([1, 2, 3], at: 0)
        #expect(try file.read(4, at: 3) == [])
        #expect(try file.read(4, at: 1000) == [])
        #expect(try file.read(0, at: 0) == [])
    }

    @Test("fills a gap before a write with zeros", arguments: Implementation.allCases)
    func fillsGaps(_ implementation: Implementation) throws {
        let disk = try TestDisk(implementation)
        let file = try disk.files.open(disk.path("a"), .create)
        try file.write([7], at: 5)
        #expect(try file.read(9, at: 0) == [0, 0, 0, 0, 0, 7])
    }

    @Test("cuts and lengthens", arguments: Implementation.allCases)
    func truncates(_ implementation: Implementation) throws {
        let disk = try TestDisk(implementation)
        let file = try disk.files.open(disk.path("a"), .create)
        try file.write([1, 2, 3, 4], at: 0)
        try file.truncate(to: 2)
        #expect(try file.size() == 2)
        try file.truncate(to: 4)
        #expect(try file.read(9, at: 0) == [1, 2, 0, 0])
    }

    @Test("answers a cached read in full or not at all", arguments: Implementation.allCases)
    func readsCached(_ implementation: Implementation) throws {
        let disk = try TestDisk(implementation)
        let file = try disk.files.open(disk.path("a"), .create)
        try file.write([1, 2, 3, 4], at: 0)
        // A file system may be unable to tell; one that can has just been given these bytes.
        for (count, position, expected) in [(4, 0, [1, 2, 3, 4]), (9, 2, [3, 4]), (3, 4, [])] {
            let bytes = try file.readIfCached(count, at: UInt64(position))
            #expect(bytes == nil || bytes == expected.map { UInt8($0) })
        }
    }

    @Test("opens what is there and creates what is not", arguments: Implementation.allCases)
    func opens(_ implementation: Implementation) throws {
        let disk = try TestDisk(implementation)
        let path = disk.path("a")
        #expect(reason { _ = try disk.files.open(path, .read) } == .notFound)
        #expect(reason { _ = try disk.files.open(path, .readWrite) } == .notFound)
        let file = try disk.files.open(path, .create)
        try file.write([1], at: 0)
        #expect(reason { _ = try disk.files.open(path, .create) } == .exists)
        #expect(try disk.files.open(path, .read).read(2, at: 0) == [1])
        let second = try disk.files.open(path, .readWrite)
        try second.write([2], at: 0)
        #expect(try file.read(2, at: 0) == [2])
        #expect(reason { try disk.files.open(path, .read).write([3], at: 0) } == .other)
        #expect(reason { _ = try disk.files.open(disk.directory, .read) } == .other)
        #expect(reason { _ = try disk.files.open(disk.path("none/a"), .create) } == .notFound)
        #expect(reason { _ = try disk.files.open(disk.path("a/b"), .create) } == .other)
    }

    @Test(
        "makes directories with those above, twice as well as once",
        arguments: Implementation.allCases)
    func createsDirectories(_ implementation: Implementation) throws {
        let disk = try TestDisk(implementation)
        try disk.files.createDirectory(disk.path("a/b/c"))
        try disk.files.createDirectory(disk.path("a/b/c"))
        #expect(try disk.files.list(disk.path("a")) == ["b"])
        #expect(
            try disk.files.status(of: disk.path("a/b/c")) == FileStatus(kind: .directory, size: 0))
        _ = try disk.files.open(disk.path("file"), .create)
        #expect(reason { try disk.files.createDirectory(disk.path("file")) } == .exists)
    }

    @Test("lists names in their order", arguments: Implementation.allCases)
    func lists(_ implementation: Implementation) throws {
        let disk = try TestDisk(implementation)
        for name in ["b", "a", "00010", "00009", ".hidden", "Z"] {
            _ = try disk.files.open(disk.path(name), .create)
        }
        #expect(
            try disk.files.list(disk.directory) == [".hidden", "00009", "00010", "Z", "a", "b"])
        #expect(reason { _ = try disk.files.list(disk.path("none")) } == .notFound)
        #expect(reason { _ = try disk.files.list(disk.path("a")) } == .other)
    }

    @Test("tells what stands at a path", arguments: Implementation.allCases)
    func tellsStatus(_ implementation: Implementation) throws {
        let disk = try TestDisk(implementation)
        let file = try disk.files.open(disk.path("a"), .create)
        try file.write([1, 2, 3], at: 0)
        #expect(try disk.files.status(of: disk.path("a")) == FileStatus(kind: .file, size: 3))
        #expect(
            try disk.files.status(of: disk.directory) == FileStatus(kind: .directory, size: 0))
        #expect(try disk.files.status(of: disk.path("none")) == nil)
        #expect(try disk.files.status(of: disk.path("a/below")) == nil)
    }

    @Test("removes files, and directories once they are empty", arguments: Implementation.allCases)
    func removes(_ implementation: Implementation) throws {
        let disk = try TestDisk(implementation)
        try disk.files.createDirectory(disk.path("d"))
        _ = try disk.files.open(disk.path("d/a"), .create)
        #expect(reason { try disk.files.removeDirectory(disk.path("d")) } == .exists)
        #expect(reason { try disk.files.removeDirectory(disk.path("d/a")) } == .other)
        #expect(reason { try disk.files.remove(disk.path("none")) } == .notFound)
        #expect(reason { try disk.files.remove(disk.path("d")) } != nil)
        try disk.files.remove(disk.path("d/a"))
        try disk.files.removeDirectory(disk.path("d"))
        try disk.files.syncDirectory(disk.directory)
        #expect(try disk.files.list(disk.directory) == [])
    }

    @Test("lets those who have a removed file open go on", arguments: Implementation.allCases)
    func readsRemoved(_ implementation: Implementation) throws {
        let disk = try TestDisk(implementation)
        let files = try (0..<8).map { number in
            let file = try disk.files.open(disk.path("a\(number)"), .create)
            try file.write([UInt8(number)], at: 0)
            try file.sync()
            return file
        }
        for number in 0..<8 { try disk.files.remove(disk.path("a\(number)")) }
        #expect(try disk.files.list(disk.directory) == [])
        // The name is free, and what takes it is another file.
        let successor = try disk.files.open(disk.path("a3"), .create)
        try successor.write([0xff], at: 0)
        for _ in 0..<2 {
            for number in 0..<8 { #expect(try files[number].read(2, at: 0) == [UInt8(number)]) }
        }
        try files[3].write([33], at: 1)
        #expect(try files[3].read(2, at: 0) == [3, 33])
        #expect(try files[3].size() == 2)
        #expect(try successor.read(2, at: 0) == [0xff])
    }

    @Test(
        "renames in place of what was there, under the hands of readers",
        arguments: Implementation.allCases)
    func renames(_ implementation: Implementation) throws {
        let disk = try TestDisk(implementation)
        let (old, new) = (disk.path("old"), disk.path("new"))
        let moved = try disk.files.open(old, .create)
        try moved.write([1], at: 0)
        try moved.sync()
        let replaced = try disk.files.open(new, .create)
        try replaced.write([2], at: 0)
        try replaced.sync()
        try disk.files.rename(old, to: new)
        try disk.files.syncDirectory(disk.directory)
        #expect(try disk.files.list(disk.directory) == ["new"])
        let successor = try disk.files.open(old, .create)
        try successor.write([3], at: 0)
        try successor.sync()
        for _ in 0..<2 {
            #expect(try moved.read(2, at: 0) == [1])
            #expect(try replaced.read(2, at: 0) == [2])
            #expect(try successor.read(2, at: 0) == [3])
        }
        try disk.files.rename(new, to: new)
        try disk.files.remove(new)
        #expect(try moved.read(2, at: 0) == [1])
        #expect(reason { try disk.files.rename(disk.path("none"), to: new) } == .notFound)
        #expect(try successor.read(2, at: 0) == [3])
    }

    @Test("renames a directory with what is open in it", arguments: Implementation.allCases)
    func renamesDirectories(_ implementation: Implementation) throws {
        let disk = try TestDisk(implementation)
        try disk.files.createDirectory(disk.path("d/e"))
        let files = try (0..<4).map { number in
            let file = try disk.files.open(disk.path("d/e/a\(number)"), .create)
            try file.write([UInt8(number)], at: 0)
            try file.sync()
            return file
        }
        try disk.files.rename(disk.path("d"), to: disk.path("d.gone"))
        for number in 0..<4 { #expect(try files[number].read(2, at: 0) == [UInt8(number)]) }
        #expect(try disk.files.list(disk.path("d.gone/e")) == ["a0", "a1", "a2", "a3"])
        for number in 0..<4 { try disk.files.remove(disk.path("d.gone/e/a\(number)")) }
        for number in 0..<4 { #expect(try files[number].read(2, at: 0) == [UInt8(number)]) }
    }

    @Test("locks a path for one at a time", arguments: Implementation.allCases)
    func locks(_ implementation: Implementation) throws {
        let disk = try TestDisk(implementation)
        var lock = try disk.files.lock(disk.path("lock"))
        #expect(lock != nil)
        #expect(try disk.files.lock(disk.path("lock")) == nil)
        #expect(try disk.files.lock(disk.path("other")) != nil)
        lock = nil
        #expect(try disk.files.lock(disk.path("lock")) != nil)
        #expect(try disk.files.list(disk.directory) == ["lock", "other"])
    }

    @Test("knows how much room there is, and syncs all at once", arguments: Implementation.allCases)
    func measures(_ implementation: Implementation) throws {
        let disk = try TestDisk(implementation)
        let space = try disk.files.space(at: disk.directory)
        #expect(space.free <= space.total && space.total > 0)
        let file = try disk.files.open(disk.path("a"), .create)
        try file.write([1], at: 0)
        try disk.files.syncAll(at: disk.directory)
        #expect(try file.read(2, at: 0) == [1])
        #expect(reason { _ = try disk.files.space(at: disk.path("none")) } == .notFound)
        #expect(reason { try disk.files.syncAll(at: disk.path("none")) } == .notFound)
        #expect(reason { try disk.files.syncDirectory(disk.path("none")) } == .notFound)
    }
}
