// SPDX-License-Identifier: Apache-2.0

/// What a node speaks: the least, the greatest and the used version of memberlist's protocol, then the
/// same of Serf's.
///
///     swimMin swimMax swimCurrent serfMin serfMax serfCurrent     one byte each
public struct Versions: Sendable, Hashable {
    public var swimMin: UInt8
    public var swimMax: UInt8
    public var swimCurrent: UInt8
    public var serfMin: UInt8
    public var serfMax: UInt8
    public var serfCurrent: UInt8

    public init(
        swimMin: UInt8, swimMax: UInt8, swimCurrent: UInt8,
        serfMin: UInt8, serfMax: UInt8, serfCurrent: UInt8
    ) {
        self.swimMin = swimMin
        self.swimMax = swimMax
        self.swimCurrent = swimCurrent
        self.serfMin = serfMin
        self.serfMax = serfMax
        self.serfCurrent = serfCurrent
    }

    /// What agents 0.9 and 0.10 say of themselves, and this library too.
    public static let current = Versions(
        swimMin: 1, swimMax: 5, swimCurrent: 2, serfMin: 2, serfMax: 5, serfCurrent: 5)

    /// A node that says nothing of its versions.
    public static let none = Versions(
        swimMin: 0, swimMax: 0, swimCurrent: 0, serfMin: 0, serfMax: 0, serfCurrent: 0)

    /// The six bytes.
    public var bytes: [UInt8] {
        [swimMin, swimMax, swimCurrent, serfMin, serfMax, serfCurrent]
    }

    /// Six bytes or more, of which the first six count; or none.
    init(from reader: inout MessagePackReader) throws(WireError) {
        let bytes = unsafe try reader.raw()
        guard unsafe !bytes.isEmpty else {
            self = .none
            return
        }
        // Fewer bytes have brought down an agent of 0.9; nothing sends them.
        guard bytes.count >= 6 else { throw .malformed("versions have fewer than 6 bytes") }
        self.init(
            swimMin: unsafe bytes[0], swimMax: unsafe bytes[1], swimCurrent: unsafe bytes[2],
            serfMin: unsafe bytes[3], serfMax: unsafe bytes[4], serfCurrent: unsafe bytes[5])
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeOrNil(self == .none ? [] : bytes)
    }
}
