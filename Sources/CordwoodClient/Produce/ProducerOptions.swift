// SPDX-License-Identifier: Apache-2.0

/// How a ``Producer`` gathers records into batches, and what it does when the server is lost.
public struct ProducerOptions: Sendable, Equatable {
    /// How long a batch waits for more records before it is sent.
    ///
    /// A longer wait makes larger batches, which cost server and disk less. With zero, a batch
    /// goes as soon as the one before it has gone.
    public var linger: Duration = .milliseconds(5)
    /// Bytes at which a batch is sent without waiting any longer.
    ///
    /// A record that is larger by itself travels alone.
    public var batchBytesMax: Int = 64 << 10
    /// Bytes of records that may be unanswered, waiting ones included; beyond, `send` suspends.
    public var windowBytesMax: Int = 8 << 20
    /// Batches that may be on the wire and unanswered.
    ///
    /// With 1, records of a partition keep their order even when the server refuses a batch for a
    /// passing reason and it is sent again.
    public var batchesInFlightMax: Int = 64
    /// How batches are packed.
    public var compression: Compression = .none
    /// What to do with batches whose answer was lost with the connection.
    public var guarantee: Guarantee = .atLeastOnce

    /// The defaults, but for what is stated.
    public init(
        linger: Duration = .milliseconds(5), batchBytesMax: Int = 64 << 10,
        windowBytesMax: Int = 8 << 20, batchesInFlightMax: Int = 64,
        compression: Compression = .none, guarantee: Guarantee = .atLeastOnce
    ) {
        self.linger = linger
        self.batchBytesMax = batchBytesMax
        self.windowBytesMax = windowBytesMax
        self.batchesInFlightMax = batchesInFlightMax
        self.compression = compression
        self.guarantee = guarantee
    }

    /// How batches are packed on the wire and on the server's disk.
    ///
    /// Each batch by itself; those that do not shrink go as they are. All but gzip need a library
    /// on both machines: without it on this one, a producer is not made.
    public enum Compression: Sendable, CaseIterable {
        /// As they are.
        case none
        /// With gzip: small, and slow to make.
        case gzip
        /// With snappy: fast. Its library is Debian's `libsnappy1v5`.
        case snappy
        /// With LZ4: the fastest. Its library is Debian's `liblz4-1`.
        case lz4
        /// With Zstandard: as small as gzip, and several times faster. Its library is Debian's
        /// `libzstd1`.
        case zstd
    }

    /// What happens to batches that were sent, and whose answer was lost with the connection: the
    /// server may have appended them, or not.
    public enum Guarantee: Sendable, CaseIterable {
        /// They are sent again, in order, over the next connection. No record is lost; those that
        /// had been appended are then in the log **twice**.
        case atLeastOnce
        /// They fail with ``CordwoodError/Code/unreachable``. No record is written twice; those
        /// that failed may be in the log, or not.
        case atMostOnce
    }

    func check() throws(CordwoodError) {
        try compression.check()
        func require(_ isSound: Bool, _ what: String) throws(CordwoodError) {
            guard isSound else { throw CordwoodError(.invalidArgument, what) }
        }
        try require(linger >= .zero, "linger is \(linger), less than nothing")
        try require(batchBytesMax > 0, "batchBytesMax is \(batchBytesMax), and must be positive")
        try require(windowBytesMax > 0, "windowBytesMax is \(windowBytesMax), and must be positive")
        try require(
            batchesInFlightMax > 0,
            "batchesInFlightMax is \(batchesInFlightMax), and must be positive")
    }
}
