// SPDX-License-Identifier: Apache-2.0

/// An address of the Internet Protocol, as it is on the wire: 4 or 16 bytes.
///
/// Peers compare addresses byte by byte, so the mapped form of an IPv4 address (`::ffff:127.0.0.1`) is
/// another address than the four bytes, and is kept as it came.
public enum IPAddress: Sendable, Hashable {
    /// The four bytes, the first in the highest bits.
    case v4(UInt32)
    /// The sixteen bytes, the first in the highest bits of the first number.
    case v6(UInt64, UInt64)

    /// An address of 4 or 16 bytes; `nil` for any other count.
    public init?(bytes: some Collection<UInt8>) {
        func number(_ bytes: some Collection<UInt8>) -> UInt64 {
            bytes.reduce(0) { $0 << 8 | UInt64($1) }
        }
        switch bytes.count {
        case 4: self = .v4(UInt32(number(bytes)))
        case 16: self = .v6(number(bytes.prefix(8)), number(bytes.dropFirst(8)))
        default: return nil
        }
    }

    /// The 4 or 16 bytes, as on the wire.
    public var bytes: [UInt8] {
        switch self {
        case .v4(let bits):
            (0..<4).map { UInt8(truncatingIfNeeded: bits >> (24 - 8 * $0)) }
        case .v6(let high, let low):
            (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> (56 - 8 * ($0 & 7))) }
        }
    }

    /// The IPv4 address that a mapped one stands for, or the address itself: where to send to, never
    /// what to announce.
    public var unmapped: IPAddress {
        guard case .v6(0, let low) = self, low >> 32 == 0xffff else { return self }
        return .v4(UInt32(truncatingIfNeeded: low))
    }

    /// Whether this is an address of the machine itself.
    public var isLoopback: Bool {
        switch unmapped {
        case .v4(let bits): bits >> 24 == 127
        case .v6(let high, let low): high == 0 && low == 1
        }
    }

    /// Whether this stands for all addresses of a machine, and so for none that one can dial.
    public var isUnspecified: Bool {
        switch unmapped {
        case .v4(let bits): bits == 0
        case .v6(let high, let low): high == 0 && low == 0
        }
    }
}

extension IPAddress: Comparable {
    /// IPv4 before IPv6, each by its bytes.
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        switch (left, right) {
        case (.v4(let left), .v4(let right)): left < right
        case (.v4, .v6): true
        case (.v6, .v4): false
        case (.v6(let leftHigh, let leftLow), .v6(let rightHigh, let rightLow)):
            (leftHigh, leftLow) < (rightHigh, rightLow)
        }
    }
}
