// SPDX-License-Identifier: Apache-2.0

/// Addresses of members as people write them: with or without a port.
public enum GossipAddress {
    /// Seeds in one setting.
    public static let seedsMax = 64

    /// The address that a text gives: `host`, `host:port`, `[v6]`, `[v6]:port` or `v6`.
    ///
    /// - Returns: `nil` for what is none, or has port 0.
    public static func parse(_ text: String) -> ListenAddress? {
        let withPort: String
        if text.hasPrefix("[") {
            withPort = text.hasSuffix("]") ? "\(text):\(GossipSettings.defaultPort)" : text
        } else {
            switch text.count(where: { $0 == ":" }) {
            case 0: withPort = "\(text):\(GossipSettings.defaultPort)"
            case 1: withPort = text
            default: withPort = "[\(text)]:\(GossipSettings.defaultPort)"
            }
        }
        guard let address = ListenAddress(withPort), address.port > 0 else { return nil }
        return address
    }

    /// The addresses of a text with commas between; `nil` if one of them is none.
    @Sendable static func list(_ text: String) -> [ListenAddress]? {
        let words = text.split(separator: ",").map { $0.filter { $0 != " " } }
        guard words.count <= seedsMax else { return nil }
        var addresses: [ListenAddress] = []
        for word in words {
            guard let address = parse(word) else { return nil }
            if !addresses.contains(address) { addresses.append(address) }
        }
        return addresses
    }
}

extension ListenAddress {
    /// Whether it stands for all addresses of the machine.
    var isUnspecified: Bool { host == "0.0.0.0" || host == "::" }
}
