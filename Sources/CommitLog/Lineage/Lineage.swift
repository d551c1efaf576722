// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Records

/// What an election and a follower need to know of all entries of a log: where each term begins, and
/// who the group's members are.
///
/// ```
/// index   1   2   3   4   5   6   7   8      terms           (1, 1) (2, 4) (5, 8)
/// term    1   1   1   2   2   2   2   5      configurations  1 and 6
///         C           ·       C       ·
/// ```
///
/// Derived from the log and cut with it: nothing here that the entries do not say (a list of terms
/// that is kept apart and not cut stops truncation for ever, Kafka KAFKA-10706). Each segment's first
/// frame has a copy, so that it survives the removal of the segments before.
public struct Lineage: Sendable, Equatable {
    /// A term and its first entry.
    public struct TermStart: Sendable, Equatable {
        /// The term.
        public var term: Term
        /// Its first entry; of the first term of a log that begins with a snapshot, the last entry
        /// that is gone.
        public var index: LogIndex
        /// The first offset that its entries may have.
        public var offset: Offset

        /// A start with these values.
        public init(term: Term, index: LogIndex, offset: Offset) {
            self.term = term
            self.index = index
            self.offset = offset
        }
    }

    /// An entry that changes the group's members.
    public struct ConfigurationEntry: Sendable, Equatable {
        /// Its place.
        public var index: LogIndex
        /// What it says, in the words of the group.
        public var payload: [UInt8]

        /// An entry with these values.
        public init(index: LogIndex, payload: [UInt8]) {
            self.index = index
            self.payload = payload
        }
    }

    /// The most terms that are remembered: the last ones.
    public static let termsMax = 1024
    /// The most configurations that are remembered: the last ones.
    ///
    /// So many that those as of the log's start are among them, unless members change all the time.
    public static let configurationsMax = 64
    /// The most bytes that a configuration, or the payload of a no-op, has.
    public static let payloadSizeMax = 64 << 10

    /// Where the terms begin, ascending.
    public private(set) var terms: [TermStart] = []
    /// The last entries that change members, ascending.
    public private(set) var configurations: [ConfigurationEntry] = []

    /// Of a log without entries.
    public init() {}

    /// Of a log that begins behind a snapshot.
    init(after index: LogIndex, term: Term, offset: Offset, configuration: [UInt8]) {
        if term > .zero { terms = [TermStart(term: term, index: index, offset: offset)] }
        if !configuration.isEmpty {
            configurations = [ConfigurationEntry(index: index, payload: configuration)]
        }
    }

    /// The term of the last entry; 0 without entries.
    public var lastTerm: Term { terms.last?.term ?? .zero }

    /// The term of an entry that is, or was, in the log; `nil` where it lies before what is known.
    public func term(at index: LogIndex) -> Term? {
        var low = 0
        var high = terms.count
        while low < high {
            let middle = (low + high) / 2
            if terms[middle].index <= index { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? terms[low - 1].term : nil
    }

    /// Takes note of an entry behind all others.
    @inline(__always)
    mutating func note(term: Term, index: LogIndex, offset: Offset) {
        if term > lastTerm { begin(term, index, offset) }
    }

    private mutating func begin(_ term: Term, _ index: LogIndex, _ offset: Offset) {
        if terms.count == Self.termsMax { terms.removeFirst() }
        terms.append(TermStart(term: term, index: index, offset: offset))
    }

    /// Takes note of an entry that changes members.
    mutating func noteConfiguration(_ payload: [UInt8], at index: LogIndex) {
        if configurations.count == Self.configurationsMax { configurations.removeFirst() }
        configurations.append(ConfigurationEntry(index: index, payload: payload))
    }

    /// Forgets the entries behind an index.
    ///
    /// - Returns: Whether a configuration was among them, so that an older one has to be looked up.
    mutating func truncate(after index: LogIndex) -> Bool {
        while let last = terms.last, last.index > index { terms.removeLast() }
        let count = configurations.count
        while let last = configurations.last, last.index > index { configurations.removeLast() }
        return configurations.count < count
    }

    /// Checks what must hold between any two calls.
    func checkInvariants(nextIndex: LogIndex, nextOffset: Offset) {
        for (before, after) in zip(terms, terms.dropFirst()) {
            precondition(
                before.term < after.term && before.index < after.index
                    && before.offset <= after.offset, "terms ascend: \(before), \(after)")
        }
        precondition(terms.count <= Self.termsMax, "\(terms.count) terms")
        precondition(
            terms.last.map { $0.index < nextIndex && $0.offset <= nextOffset } ?? true,
            "a term begins behind the end")
        precondition(configurations.count <= Self.configurationsMax, "too many configurations")
        precondition(
            configurations.last.map { $0.index < nextIndex } ?? true,
            "a configuration behind the end")
    }
}

// MARK: - Bytes

extension Lineage {
    private static let magicValue: UInt32 = 0x4357_4c4e
    private static let versionValue: UInt32 = 1
    private static let headerSize = 16
    private static let termSize = 24
    /// The most bytes that a lineage has.
    static let sizeMax =
        headerSize + termsMax * termSize + configurationsMax * (12 + payloadSizeMax)

    /// The bytes of a segment's first frame, and of the file `lineage`.
    ///
    /// Big-endian:
    ///
    /// ```
    ///  at size field                                then for each term    for each configuration
    ///   0   4  magic "CWLN"                          8  term               8  index
    ///   4   4  version = 1                           8  first index        4  length
    ///   8   4  number of terms, at most 1,024        8  first offset       …  payload
    ///  12   4  number of configurations, at most 64
    ///  16   …  terms, then configurations
    /// ```
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        let payloads = configurations.reduce(0) { $0 + 12 + $1.payload.count }
        bytes.reserveCapacity(Self.headerSize + terms.count * Self.termSize + payloads + 4)
        bytes.appendBigEndian(Self.magicValue)
        bytes.appendBigEndian(Self.versionValue)
        bytes.appendBigEndian(UInt32(terms.count))
        bytes.appendBigEndian(UInt32(configurations.count))
        for start in terms {
            bytes.appendBigEndian(start.term.rawValue)
            bytes.appendBigEndian(start.index.rawValue)
            bytes.appendBigEndian(start.offset.rawValue)
        }
        for entry in configurations {
            bytes.appendBigEndian(entry.index.rawValue)
            bytes.appendBigEndian(UInt32(entry.payload.count))
            bytes.append(contentsOf: entry.payload)
        }
        return bytes
    }

    /// The lineage that some bytes are; `nil` if they cannot be one.
    ///
    /// Their checksum was compared before.
    init?(_ bytes: ArraySlice<UInt8>) {
        let isSound = unsafe bytes.withUnsafeBytes { unsafe decode($0) }
        guard isSound else { return nil }
    }

    private mutating func decode(_ raw: UnsafeRawBufferPointer) -> Bool {
        guard raw.count >= Self.headerSize,
            unsafe raw.bigEndian(at: 0, as: UInt32.self) == Self.magicValue,
            unsafe raw.bigEndian(at: 4, as: UInt32.self) == Self.versionValue
        else { return false }
        let termCount = unsafe Int(raw.bigEndian(at: 8, as: UInt32.self))
        let configurationCount = unsafe Int(raw.bigEndian(at: 12, as: UInt32.self))
        guard termCount <= Self.termsMax, configurationCount <= Self.configurationsMax,
            raw.count >= Self.headerSize + termCount * Self.termSize
        else { return false }
        var place = Self.headerSize
        for _ in 0..<termCount {
            let start = unsafe TermStart(
                term: Term(raw.bigEndian(at: place, as: UInt64.self)),
                index: LogIndex(raw.bigEndian(at: place + 8, as: UInt64.self)),
                offset: Offset(raw.bigEndian(at: place + 16, as: Int64.self)))
            if let last = terms.last {
                guard last.term < start.term, last.index < start.index,
                    last.offset <= start.offset
                else { return false }
            }
            terms.append(start)
            place += Self.termSize
        }
        for _ in 0..<configurationCount {
            guard place + 12 <= raw.count else { return false }
            let index = unsafe LogIndex(raw.bigEndian(at: place, as: UInt64.self))
            let length = unsafe Int(raw.bigEndian(at: place + 8, as: UInt32.self))
            place += 12
            guard length <= Self.payloadSizeMax, place + length <= raw.count,
                configurations.last.map({ $0.index < index }) ?? true
            else { return false }
            let payload = unsafe [UInt8](raw[place..<(place + length)])
            configurations.append(ConfigurationEntry(index: index, payload: payload))
            place += length
        }
        return place == raw.count
    }
}
