// SPDX-License-Identifier: Apache-2.0

/// The bytes of one batch, with room in front of them for the envelope that the log puts there.
///
/// The envelope and the batch so reach the disk in one contiguous write, and the batch is copied
/// once, from the socket's memory into this one. The buffer has one owner at a time: whoever fills
/// it hands it over to the log and does not touch it again until the log hands it back.
///
/// `@unchecked Sendable`: the memory is private, and ownership moves with the reference as above;
/// no two threads hold one at the same time.
@safe
public final class BatchBuffer: @unchecked Sendable {
    /// Bytes in front of the batch.
    public static let headroom = 80

    private var memory: UnsafeMutableRawBufferPointer
    /// The batch's length in bytes.
    public private(set) var count: Int
    /// A ``BatchBuilder`` made the batch and nobody had it in hand to change it since, so that there
    /// is no need to check it.
    public private(set) var isBuilt = false

    /// An empty buffer that takes a batch of `capacity` bytes without growing.
    public init(capacity: Int) {
        precondition(capacity >= 0, "a capacity is not negative: \(capacity)")
        unsafe memory = .allocate(byteCount: Self.headroom + capacity, alignment: 8)
        count = 0
    }

    /// A copy of a batch's bytes.
    public convenience init(copying bytes: UnsafeRawBufferPointer) {
        self.init(capacity: bytes.count)
        unsafe memory[Self.headroom...].copyBytes(from: bytes)
        count = bytes.count
    }

    /// A copy of a batch's bytes.
    public convenience init(copying bytes: [UInt8]) {
        self.init(capacity: bytes.count)
        unsafe bytes.withUnsafeBytes { unsafe memory[Self.headroom...].copyBytes(from: $0) }
        count = bytes.count
    }

    deinit {
        unsafe memory.deallocate()
    }

    /// The length that fits without growing.
    public var capacity: Int { unsafe memory.count - Self.headroom }

    /// The batch; valid for as long as the buffer lives and does not grow.
    public var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: memory[Self.headroom..<(Self.headroom + count)])
    }

    /// The batch, to be changed in place.
    public var mutableBytes: UnsafeMutableRawBufferPointer {
        isBuilt = false
        return unsafe UnsafeMutableRawBufferPointer(
            rebasing: memory[Self.headroom..<(Self.headroom + count)])
    }

    /// The headroom and the batch behind it.
    public var frame: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[..<(Self.headroom + count)])
    }

    /// All the room for a batch, to be filled before ``setCount(_:)``.
    public var room: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[Self.headroom...])
    }

    func markBuilt() { isBuilt = true }

    /// Says how much of ``room`` is the batch.
    public func setCount(_ count: Int) {
        precondition(count >= 0 && count <= capacity, "\(count) bytes do not fit \(capacity)")
        isBuilt = false
        self.count = count
    }

    /// Makes room for a batch of `capacity` bytes, keeping the ``count`` bytes that are there.
    public func reserve(_ capacity: Int) {
        guard capacity > self.capacity else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.headroom + max(capacity, self.capacity * 2), alignment: 8)
        unsafe larger.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: memory[..<(Self.headroom + count)]))
        unsafe memory.deallocate()
        unsafe memory = larger
    }
}
