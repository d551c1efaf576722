// SPDX-License-Identifier: Apache-2.0

import Disk
import SimulatedDisk
import Testing

@Suite("The simulated disk")
struct SimulatedFaultTests {
    private func makeDisk(_ seed: UInt64 = 1) throws -> SimulatedFileSystem {
        let disk = SimulatedFileSystem(seed: seed)
        try disk.createDirectory("/d")
        try disk.syncDirectory("/")
        return disk
    }

    @Test("keeps over a power cut what was synced, its name included")
    func keepsSynced() throws {
        for seed in 0..<200 {
            let disk = try makeDisk(UInt64(seed))
            let file = try disk.open("/d/a", .create)
            try file.write([1, 2, 3], at: 0)
            try file.sync()
            try disk.syncDirectory("/d")
            disk.crash()
            #expect(disk.contents("/d/a") == [1, 2, 3])
        }
    }

    @Test("loses, keeps and tears unsynced writes at borders of 512 bytes")
    func tearsWrites() throws {
        var outcomes: Set<String> = []
        for seed in 0..<400 {
            let disk = try makeDisk(UInt64(seed))
            let file = try disk.open("/d/a", .create)
            try file.write([UInt8](repeating: 1, count: 1024), at: 0)
            try file.sync()
            try disk.syncDirectory("/d")
            try file.write([UInt8](repeating: 2, count: 1024), at: 512)
            try file.write([UInt8](repeating: 3, count: 512), at: 1536)
            disk.crash()
            let bytes = try #require(disk.contents("/d/a"))
            #expect(bytes.count >= 1024 && bytes.count <= 2048)
            #expect(bytes.prefix(512).allSatisfy { $0 == 1 })
            var shape = ""
            for start in stride(from: 0, to: bytes.count, by: 512) {
                let sector = bytes[start..<min(bytes.count, start + 512)]
                #expect(Set(sector).count == 1, "a sector is never torn")
                shape += "\(bytes[start])"
            }
            outcomes.insert(shape)
        }
        // Nothing, all, the first only, the second without the first, zeros behind the end.
        for shape in ["11", "1223", "122", "1103", "1123", "12", "110"] {
            #expect(outcomes.contains(shape), "\(shape) of \(outcomes.sorted())")
        }
    }

    @Test("loses and keeps names one by one until their directory is synced")
    func losesNames() throws {
        var outcomes: Set<[String]> = []
        for seed in 0..<200 {
            let disk = try makeDisk(UInt64(seed))
            for name in ["a", "b"] { try disk.open("/d/\(name)", .create).sync() }
            try disk.syncDirectory("/d")
            try disk.remove("/d/a")
            try disk.open("/d/c", .create).sync()
            try disk.rename("/d/b", to: "/d/b2")
            disk.crash()
            let names = try disk.list("/d")
            #expect(names.contains("b") != names.contains("b2"), "a rename happens whole")
            outcomes.insert(names)
        }
        #expect(outcomes.count == 8, "all combinations: \(outcomes)")
        let disk = try makeDisk()
        _ = try disk.open("/d/a", .create)
        try disk.rename("/d/a", to: "/d/b")
        try disk.syncDirectory("/d")
        disk.crash()
        #expect(try disk.list("/d") == ["b"])
    }

    @Test("keeps a removed file whose removal was not synced, with its bytes")
    func revivesRemoved() throws {
        var outcomes: Set<[UInt8]?> = []
        for seed in 0..<50 {
            let disk = try makeDisk(UInt64(seed))
            let file = try disk.open("/d/a", .create)
            try file.write([7], at: 0)
            try file.sync()
            try disk.syncDirectory("/d")
            try disk.remove("/d/a")
            disk.crash()
            outcomes.insert(disk.contents("/d/a"))
        }
        #expect(outcomes == [nil, [7]])
    }

    @Test("keeps everything over the end of a process, and keeps it unsynced")
    func keepsCache() throws {
        var outcomes: Set<[UInt8]?> = []
        for seed in 0..<50 {
            let disk = try makeDisk(UInt64(seed))
            let file = try disk.open("/d/a", .create)
            try disk.syncDirectory("/d")
            try file.write([5], at: 0)
            disk.crashKeepingCache()
            #expect(disk.contents("/d/a") == [5])
            #expect(reason { try file.sync() } == .other)
            disk.crash()
            outcomes.insert(disk.contents("/d/a"))
        }
        #expect(outcomes == [[], [0], [5]] || outcomes == [[], [5]])
    }

    @Test("kills open files and frees locks at a crash")
    func killsFiles() throws {
        let disk = try makeDisk()
        let file = try disk.open("/d/a", .create)
        let lock = try disk.lock("/d/lock")
        try disk.syncDirectory("/d")
        disk.crash()
        #expect(reason { _ = try file.read(1, at: 0) } == .other)
        #expect(reason { try file.write([1], at: 0) } == .other)
        #expect(reason { _ = try file.size() } == .other)
        let second = try disk.lock("/d/lock")
        #expect(second != nil)
        withExtendedLifetime(lock) {}
        #expect(try disk.lock("/d/lock") == nil)
        withExtendedLifetime(second) {}
    }

    @Test("drops the writes of a failed sync although a later one succeeds")
    func dropsWrites() throws {
        let disk = try makeDisk()
        let file = try disk.open("/d/a", .create)
        try disk.syncDirectory("/d")
        try file.write([1], at: 0)
        var plan = FaultPlan()
        plan.sync = .onCall(1)
        plan.failedSyncPoisonsRange = false
        disk.faults = plan
        #expect(reason { try file.sync() } == .inputOutput)
        try file.write([2], at: 1)
        try file.sync()
        #expect(try file.read(2, at: 0) == [1, 2])
        disk.crash()
        #expect(disk.contents("/d/a") == [0, 2])
    }

    @Test("takes what was new in a failed sync into no sector of that file, but into another file")
    func poisonsSectors() throws {
        let disk = try makeDisk()
        let old = [UInt8](repeating: 1, count: 600)
        let new = [UInt8](repeating: 2, count: 1000)
        let file = try disk.open("/d/a", .create)
        try file.write(old, at: 0)
        try file.sync()
        var plan = FaultPlan()
        plan.sync = .onCall(1)
        disk.faults = plan
        try file.write(new, at: 600)
        #expect(reason { try file.sync() } == .inputOutput)
        disk.crashKeepingCache()
        let again = try disk.open("/d/a", .readWrite)
        try again.write(new, at: 600)
        try again.sync()
        let copy = try disk.open("/d/b", .create)
        try copy.write(try again.read(1600, at: 0), at: 0)
        try copy.sync()
        try disk.syncDirectory("/d")
        disk.crash()
        let kept = old + new.prefix(1024 - 600)
        #expect(disk.contents("/d/a") == kept + [UInt8](repeating: 0, count: 1600 - 1024))
        #expect(disk.contents("/d/b") == old + new)
        // The page cache is gone, and with it what was thought of the sectors.
        let last = try disk.open("/d/a", .readWrite)
        try last.write(new, at: 600)
        try last.sync()
        disk.crash()
        #expect(disk.contents("/d/a") == old + new)
    }

    @Test("is full at its capacity and has room again after a removal")
    func fills() throws {
        let disk = try makeDisk()
        var plan = FaultPlan()
        plan.capacity = 10
        disk.faults = plan
        let file = try disk.open("/d/a", .create)
        try file.write([UInt8](repeating: 1, count: 6), at: 0)
        #expect(reason { try file.write([UInt8](repeating: 2, count: 6), at: 6) } == .noSpace)
        #expect(try file.size() == 10, "what fits is written")
        #expect(try disk.space(at: "/d") == DiskSpace(free: 0, total: 10))
        try file.write([9], at: 0)
        #expect(reason { try file.truncate(to: 11) } == .noSpace)
        try file.truncate(to: 4)
        try file.write([UInt8](repeating: 3, count: 6), at: 4)
        try disk.remove("/d/a")
        let other = try disk.open("/d/b", .create)
        #expect(reason { try other.write([1], at: 0) } == .noSpace)
        withExtendedLifetime(file) {}
    }

    @Test("frees the room of a removed file when the last reader closes it")
    func freesRoom() throws {
        let disk = try makeDisk()
        var file: (any File)? = try disk.open("/d/a", .create)
        try file?.write([1, 2, 3], at: 0)
        let free = try disk.space(at: "/d").free
        try disk.remove("/d/a")
        #expect(try disk.space(at: "/d").free == free)
        file = nil
        #expect(try disk.space(at: "/d").free == free + 3)
    }

    @Test("strikes the calls that its plan names, and only those")
    func strikes() throws {
        let disk = try makeDisk()
        let file = try disk.open("/d/store", .create)
        let other = try disk.open("/d/index", .create)
        try file.write([1], at: 0)
        var plan = FaultPlan()
        plan.read = .onCall(2)
        plan.write = .always
        plan.names = .always
        plan.cacheMiss = .always
        plan.pathPart = "store"
        disk.faults = plan
        #expect(try file.read(1, at: 0) == [1])
        #expect(reason { _ = try file.read(1, at: 0) } == .inputOutput)
        #expect(try file.read(1, at: 0) == [1])
        #expect(try file.readIfCached(1, at: 0) == nil)
        #expect(reason { try file.write([2], at: 1) } == .inputOutput)
        #expect(reason { try file.truncate(to: 0) } == .inputOutput)
        #expect(reason { try disk.remove("/d/store") } == .inputOutput)
        try other.write([2], at: 0)
        try disk.remove("/d/index")
        plan = FaultPlan()
        plan.read = .oneIn(3)
        disk.faults = plan
        let failures = (0..<300).count { _ in reason { _ = try file.read(1, at: 0) } != nil }
        #expect((50..<150).contains(failures))
    }

    @Test("stops in the midst of the call that was asked for, and stays stopped until a crash")
    func stops() throws {
        var lengths: Set<Int> = []
        for seed in 0..<100 {
            let disk = try makeDisk(UInt64(seed))
            let file = try disk.open("/d/a", .create)
            try disk.syncDirectory("/d")
            disk.crashAfter(calls: 2)
            try file.write([1], at: 0)
            #expect(!disk.isStopped)
            #expect(throws: FileError.self) { try file.write([2, 2, 2], at: 1) }
            #expect(disk.isStopped)
            #expect(reason { _ = try disk.list("/d") } == .other)
            #expect(reason { _ = try disk.open("/d/a", .read) } == .other)
            disk.crashKeepingCache()
            #expect(!disk.isStopped)
            lengths.insert(disk.contents("/d/a")?.count ?? -1)
        }
        #expect(lengths == [1, 2, 3, 4])
    }

    @Test("rots where it is told to")
    func rots() throws {
        let disk = try makeDisk()
        let file = try disk.open("/d/a", .create)
        try disk.syncDirectory("/d")
        try file.write([0, 0, 0], at: 0)
        #expect(disk.flipBit("/d/a", at: 1, bit: 3))
        #expect(!disk.flipBit("/d/a", at: 3))
        #expect(!disk.flipBit("/d/none", at: 0))
        #expect(try file.read(3, at: 0) == [0, 8, 0])
        #expect(disk.truncate("/d/a", to: 2))
        disk.crash()
        #expect(disk.contents("/d/a") == [0, 8])
        let copy = disk.copy(seed: 3)
        #expect(disk.mutate("/d/a") { $0 = [5] })
        #expect(copy.contents("/d/a") == [0, 8])
        #expect(try copy.list("/") == ["d"])
        #expect(disk.contents("/d/a") == [5])
    }

    @Test("has the same effects for the same seed, and others for another")
    func repeats() throws {
        func run(_ seed: UInt64) throws -> (UInt64, [UInt8]?) {
            let disk = try makeDisk(seed)
            let file = try disk.open("/d/a", .create)
            try disk.syncDirectory("/d")
            for step in 0..<20 {
                try file.write([UInt8](repeating: UInt8(step), count: 700), at: UInt64(step * 300))
            }
            disk.crash()
            return (disk.effectsDigest, disk.contents("/d/a"))
        }
        let digests = try (0..<20).map { try run(UInt64($0)).0 }
        #expect(Set(digests).count > 5)
        for seed in 0..<20 { #expect(try run(UInt64(seed)) == run(UInt64(seed))) }
    }
}
