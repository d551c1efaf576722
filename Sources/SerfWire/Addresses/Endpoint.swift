// SPDX-License-Identifier: Apache-2.0

/// Where a node is reached: an address, and a port that serves for packets and streams alike.
public struct Endpoint: Sendable, Hashable {
    public var address: IPAddress
    /// 1 to 65,535; a peer that says 0 means the default port.
    public var port: UInt16

    public init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}

extension Endpoint: Comparable {
    /// By address, then by port.
    public static func < (left: Endpoint, right: Endpoint) -> Bool {
        (left.address, left.port) < (right.address, right.port)
    }
}

extension Endpoint: CustomStringConvertible {
    /// The endpoint of a text such as `127.0.0.1:7946` or `[::1]:7946`.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("[") {
            guard host.hasSuffix("]"), host.utf8.contains(UInt8(ascii: ":")) else { return nil }
            host = host.dropFirst().dropLast()
        } else if host.utf8.contains(UInt8(ascii: ":")) {
            return nil
        }
        guard
            let address = IPAddress(String(host)),
            let port = IPAddress.decimal(text[text.index(after: colon)...])
                .flatMap({ UInt16(exactly: $0) })
        else { return nil }
        self.init(address: address, port: port)
    }

    public var description: String {
        switch address {
        case .v4: "\(address):\(port)"
        case .v6: "[\(address)]:\(port)"
        }
    }
}
