// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

/// A host name or address with, perhaps, a port, as people write it.
///
/// `host`, `host:port`, `1.2.3.4:port`, `[::1]:port`, `::1`.
struct HostAndPort: Hashable, Sendable {
    var host: String
    /// `nil` for the default port.
    var port: UInt16?

    /// What a text says.
    init(_ text: String) throws(MembershipError) {
        let bytes = Array(text.utf8)
        let (host, port) = try Self.split(text, bytes)
        guard !host.isEmpty, !host.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) else {
            throw Self.unreadable(text)
        }
        self.host = host
        self.port = try port.map { digits throws(MembershipError) in
            guard let port = UInt16(digits), port > 0 else { throw Self.unreadable(text) }
            return port
        }
    }

    /// The address, if the host is one and no name.
    var literal: IPAddress? { IPAddress(host) }

    /// Whether only this machine is meant, as far as the text says.
    var isLoopbackName: Bool {
        literal?.isLoopback ?? (host.lowercased() == "localhost")
    }

    private static func split(
        _ text: String, _ bytes: [UInt8]
    ) throws(MembershipError) -> (String, String?) {
        if bytes.first == UInt8(ascii: "[") {
            guard let close = bytes.firstIndex(of: UInt8(ascii: "]")) else {
                throw unreadable(text)
            }
            let host = String(decoding: bytes[1..<close], as: UTF8.self)
            let rest = bytes[(close + 1)...]
            if rest.isEmpty { return (host, nil) }
            guard rest.first == UInt8(ascii: ":") else { throw unreadable(text) }
            return (host, String(decoding: rest.dropFirst(), as: UTF8.self))
        }
        let colons = bytes.indices.filter { bytes[$0] == UInt8(ascii: ":") }
        // Two colons without brackets are an IPv6 address without a port.
        guard colons.count == 1 else { return (text, nil) }
        return (
            String(decoding: bytes[..<colons[0]], as: UTF8.self),
            String(decoding: bytes[(colons[0] + 1)...], as: UTF8.self)
        )
    }

    private static func unreadable(_ text: String) -> MembershipError {
        MembershipError(
            .invalidSettings, "'\(text)' is no host, host:port or [address]:port")
    }
}

extension IPAddress {
    /// Of a range that sites use inside: 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7.
    var isPrivate: Bool {
        switch self {
        case .v4(let bits):
            bits >> 24 == 10 || bits >> 20 == 0xac1 || bits >> 16 == 0xc0a8
                || bits >> 22 == 0x191
        case .v6(let high, _): high >> 57 == 0x7e
        }
    }

    /// Only good on one link: 169.254/16, fe80::/10.
    var isLinkLocal: Bool {
        switch self {
        case .v4(let bits): bits >> 16 == 0xa9fe
        case .v6(let high, _): high >> 54 == 0x3fa
        }
    }
}
