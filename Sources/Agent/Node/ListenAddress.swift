// SPDX-License-Identifier: Apache-2.0

/// An address to listen on: a host or IP address, and a port.
public struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// An IPv4 or IPv6 address without brackets, or `localhost`.
    public var host: String
    /// The port; 0 for one that is free.
    public var port: Int

    /// An address of these.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// The address that a text such as `127.0.0.1:8400` or `[::1]:8400` gives.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "/" }) else {
            return nil
        }
        self.init(host: String(host), port: Int(port))
    }

    /// Host and port, IPv6 in brackets.
    public var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension ListenAddress {
    /// Whether only this machine reaches the address; `nil` for a name that must be looked up.
    public var isLoopback: Bool? {
        if host == "localhost" || host == "::1" { return true }
        if host.contains(":") { return false }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        let isIPv4 = parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
        return isIPv4 ? parts[0] == "127" : nil
    }
}
