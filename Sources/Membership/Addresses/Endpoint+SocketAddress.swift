// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import NIOCore
internal import SerfWire

extension Endpoint {
    /// The address of a socket; `nil` for one that is no internet address.
    ///
    /// An IPv4 peer of a socket that listens on `::` comes in the mapped form; it is known to others
    /// by its four bytes.
    init?(_ address: SocketAddress) {
        if case .unixDomainSocket = address { return nil }
        let endpoint = address.withSockAddr { address, _ in Endpoint(address) }
        guard let endpoint else { return nil }
        self = endpoint
    }

    /// The address of a C structure.
    ///
    /// Its bytes are the same on all systems: family 2, port 2, then 4 of IPv4, or 4 of a flow and 16
    /// of IPv6.
    init?(_ address: UnsafePointer<sockaddr>) {
        let isIPv6 = CInt(address.pointee.sa_family) == AF_INET6
        guard isIPv6 || CInt(address.pointee.sa_family) == AF_INET else { return nil }
        let size = isIPv6 ? 24 : 8
        let bytes = UnsafeRawBufferPointer(start: address, count: size)
        guard let ip = IPAddress(bytes: bytes[(isIPv6 ? 8 : 4)...]) else { return nil }
        self.init(address: ip.unmapped, port: UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
    }

    /// What to hand to a socket of a family; `nil` if such a socket cannot reach this address.
    func socketAddress(for family: NIOBSDSocket.ProtocolFamily) -> SocketAddress? {
        guard port != 0 else { return nil }
        switch (address.unmapped, family) {
        case (.v4(let bits), .inet6):
            return Self.socketAddress(.v6(0, 0xffff << 32 | UInt64(bits)), port: port)
        case (.v4, .inet), (.v6, .inet6):
            return Self.socketAddress(address.unmapped, port: port)
        default:
            return nil
        }
    }

    /// The address in a family of its own.
    var socketAddress: SocketAddress? {
        if case .v4 = address.unmapped { return socketAddress(for: .inet) }
        return socketAddress(for: .inet6)
    }

    /// An address as it stands, to bind to.
    static func socketAddress(_ ip: IPAddress, port: UInt16) -> SocketAddress {
        do {
            return try SocketAddress(
                packedIPAddress: ByteBuffer(bytes: ip.bytes), port: Int(port))
        } catch {
            preconditionFailure("an address of \(ip.bytes.count) bytes is none")
        }
    }
}
