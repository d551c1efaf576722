// SPDX-License-Identifier: Apache-2.0

import Disk
import Glibc
import Synchronization
import Testing

@testable import PosixDisk

@Suite("A budget of descriptors")
struct DescriptorBudgetTests {
    /// A thousand files, each with its number as content, all open as objects.
    private func makeFiles(
        _ files: PosixFileSystem, _ directory: String, count: Int
    ) throws -> [any File] {
        try files.createDirectory(directory)
        return try (0..<count).map { number in
            let file = try files.open("\(directory)/\(number)", .create)
            try file.write(Self.content(number), at: 0)
            try file.sync()
            return file
        }
    }

    private static func content(_ number: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt64(number)) { Array($0) }
    }

    @Test("of 16 serves a thousand open files to readers on several threads")
    func servesManyFiles() throws {
        let disk = try TestDisk(.posix)
        let system = PosixFileSystem(descriptorLimit: 16)
        let files = try makeFiles(system, disk.path("d"), count: 1000)
        #expect(system.openDescriptors <= 16)
        let most = Mutex(0)
        let wrong = Mutex(0)
        let threads = 4
        DetachedThreads.run(threads) { thread in
            for step in 0..<2000 {
                let number = (step &* 7919 &+ thread &* 104_729) % 1000
                let bytes = try? files[number].read(16, at: 0)
                if bytes != Self.content(number) { wrong.withLock { $0 += 1 } }
                most.withLock { $0 = max($0, system.openDescriptors) }
            }
        }
        #expect(wrong.withLock { $0 } == 0)
        // Each thread may hold one that cannot be closed at that moment.
        #expect(most.withLock { $0 } <= 16 + threads)
        _ = try files[0].read(1, at: 0)
        #expect(system.openDescriptors <= 16)
    }

    @Test("never closes a file with unsynced writes, and closes it again once it is synced")
    func pinsDirty() throws {
        let disk = try TestDisk(.posix)
        let system = PosixFileSystem(descriptorLimit: 4)
        let files = try makeFiles(system, disk.path("d"), count: 40)
        let before = try openNumbers(disk.path("d"))
        #expect(before.count <= 4)
        for file in files.prefix(10) { try file.write([1], at: 8) }
        let dirty = try openNumbers(disk.path("d"))
        for file in files { _ = try file.read(1, at: 0) }
        // The ten are open under the numbers that they were written through.
        let after = try openNumbers(disk.path("d"))
        for name in (0..<10).map(String.init) {
            #expect(dirty[name] != nil && dirty[name] == after[name], "file \(name)")
        }
        for file in files.prefix(10) { try file.sync() }
        #expect(system.openDescriptors <= 4)
        #expect(try openNumbers(disk.path("d")).count <= 4)
    }

    @Test("takes a sync of the whole file system for one of each file")
    func syncsAll() throws {
        let disk = try TestDisk(.posix)
        let system = PosixFileSystem(descriptorLimit: 4)
        let files = try makeFiles(system, disk.path("d"), count: 10)
        for file in files { try file.write([1], at: 8) }
        #expect(system.openDescriptors == 10)
        try system.syncAll(at: disk.path("d"))
        #expect(system.openDescriptors <= 4)
    }

    @Test("keeps the descriptors of removed files until these are closed")
    func pinsRemoved() throws {
        let disk = try TestDisk(.posix)
        let system = PosixFileSystem(descriptorLimit: 4)
        var files = try makeFiles(system, disk.path("d"), count: 20)
        for number in 0..<10 { try system.remove(disk.path("d/\(number)")) }
        for _ in 0..<2 {
            for number in 0..<20 {
                #expect(try files[number].read(16, at: 0) == Self.content(number))
            }
        }
        #expect(system.openDescriptors >= 10)
        files.removeFirst(10)
        #expect(system.openDescriptors <= 4)
        files = []
        #expect(system.openDescriptors == 0)
    }

    @Test("lets readers go on while their files are removed")
    func readsWhileRemoving() throws {
        let disk = try TestDisk(.posix)
        let system = PosixFileSystem(descriptorLimit: 3)
        let files = try makeFiles(system, disk.path("d"), count: 200)
        let wrong = Mutex(0)
        let directory = disk.path("d")
        DetachedThreads.run(3) { thread in
            if thread == 0 {
                for number in 0..<200 {
                    do {
                        try system.remove("\(directory)/\(number)")
                    } catch {
                        wrong.withLock { $0 += 1 }
                    }
                }
            } else {
                for step in 0..<3000 {
                    let number = (step &* 7919 &+ thread) % 200
                    let bytes = try? files[number].read(16, at: 0)
                    if bytes != Self.content(number) { wrong.withLock { $0 += 1 } }
                }
            }
        }
        #expect(wrong.withLock { $0 } == 0)
    }

    @Test("gives up idle descriptors when the process has no more")
    func survivesExhaustion() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 64, rlim_max: 64)
            guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
                exit(2)
            }
            let disk = try TestDisk(.posix)
            let system = PosixFileSystem(descriptorLimit: 1000)
            let files = try (0..<300).map { try system.open(disk.path("\($0)"), .create) }
            for file in files { _ = try file.read(1, at: 0) }
            // A removed file keeps its descriptor, so not all of these can go while they are open.
            let failures = (0..<300).count { number in
                reason { try system.remove(disk.path("\(number)")) } == .descriptors
            }
            guard (200..<300).contains(failures) else { exit(3) }
        }
    }

    @Test("refuses a file that has taken the place of the one that was open")
    func noticesForgery() throws {
        let disk = try TestDisk(.posix)
        let system = PosixFileSystem(descriptorLimit: 1)
        let file = try system.open(disk.path("a"), .create)
        try file.write([1], at: 0)
        try file.sync()
        let other = try system.open(disk.path("b"), .create)
        _ = try other.read(1, at: 0)
        // Behind the object's back, as another program would.
        let stranger = PosixFileSystem()
        try stranger.rename(disk.path("b"), to: disk.path("a"))
        let third = try system.open(disk.path("c"), .create)
        _ = try third.read(1, at: 0)
        #expect(reason { _ = try file.read(1, at: 0) } == .other)
    }

    @Test("believes no sync of a file after one that failed")
    func poisons() throws {
        let disk = try TestDisk(.posix)
        let descriptor = Descriptor(disk.path("a"), .create, isPinned: false)
        let failure = FileError(.sync, disk.path("a"), code: EIO, reason: .inputOutput)
        #expect(try descriptor.beginSync() == 0)
        #expect(descriptor.countWrite())
        #expect(!descriptor.countWrite())
        descriptor.failSync(failure)
        descriptor.completeSync(2)
        #expect(throws: failure) { try descriptor.beginSync() }
        #expect(descriptor.state.withLock { $0.isDirty })
    }

    @Test("covers no write by a sync that began before the write ended")
    func countsWrites() throws {
        let descriptor = Descriptor("a", .create, isPinned: false)
        _ = descriptor.countWrite()
        let covered = try descriptor.beginSync()
        _ = descriptor.countWrite()
        descriptor.completeSync(covered)
        #expect(descriptor.state.withLock { $0.isDirty })
        descriptor.completeSync(try descriptor.beginSync())
        #expect(!descriptor.state.withLock { $0.isDirty })
    }
}
