// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix

/// Where a server listens: `host`, `host:port`, `[v6]` or `[v6]:port`.
struct ServerAddress: Equatable, CustomStringConvertible {
    /// The port of a server that does not say otherwise.
    static let defaultPort = 8400

    let host: String
    let port: Int

    /// Reads an address as users write it.
    init(_ text: String) throws(CordwoodError) {
        let invalid = CordwoodError(
            .invalidArgument, "\"\(text)\" is not an address",
            hint: "Write host:port, such as 127.0.0.1:8400 or [::1]:8400.")
        var host = Substring(text)
        var digits: Substring?
        if text.hasPrefix("[") {
            guard let bracket = text.firstIndex(of: "]") else { throw invalid }
            host = text[..<bracket].dropFirst()
            let rest = text[bracket...].dropFirst()
            guard rest.isEmpty || rest.hasPrefix(":") else { throw invalid }
            digits = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            digits = text[colon...].dropFirst()
        }
        let port = digits.map { Int($0) } ?? Self.defaultPort
        guard let port, (1...65535).contains(port), !host.isEmpty,
            host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") })
        else { throw invalid }
        self.host = String(host)
        self.port = port
    }

    var description: String { isV6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// What the transport connects to.
    var target: any ResolvableTarget {
        if isV6 { return .ipv6(address: host, port: port) }
        if isV4 { return .ipv4(address: host, port: port) }
        return .dns(host: host, port: port)
    }

    private var isV6: Bool { host.contains(":") }

    private var isV4: Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }
}
