// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// Which address of this machine the others are told, where gossip listens on all of them.
enum MachineAddress {
    /// The one to tell; `nil` where there is none that others could reach.
    ///
    /// - Parameter isIPv6: Whether the socket takes IPv6 too.
    static func chosen(isIPv6: Bool) -> String? {
        // A machine that cannot list its interfaces has none that could be chosen.
        let devices = (try? System.enumerateDevices()) ?? []
        return choose(from: devices.compactMap { $0.address?.ipAddress }, isIPv6: isIPv6)
    }

    /// The first private address, else the first that is not good on this machine or link alone.
    static func choose(from addresses: [String], isIPv6: Bool) -> String? {
        let usable = addresses.filter { text in
            let address = ListenAddress(host: text, port: 0)
            let isLinkLocal = text.hasPrefix("169.254.") || text.lowercased().hasPrefix("fe80:")
            return (isIPv6 || !text.contains(":")) && address.isLoopback == false
                && !address.isUnspecified && !isLinkLocal
        }
        return usable.first(where: isPrivate) ?? usable.first
    }

    /// Whether sites use the address inside: 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7.
    private static func isPrivate(_ text: String) -> Bool {
        if text.contains(":") { return text.hasPrefix("fc") || text.hasPrefix("fd") }
        let parts = text.split(separator: ".").compactMap { UInt8($0) }
        guard parts.count == 4 else { return false }
        switch (parts[0], parts[1]) {
        case (10, _), (172, 16...31), (192, 168), (100, 64...127): return true
        default: return false
        }
    }
}
