// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import NIOCore
internal import SerfWire

/// Asks the system for the addresses of names.
enum NameLookup {
    /// More addresses of one name are not looked at.
    static let addressesMax = 64

    /// All addresses of a name, in the system's order, each once.
    ///
    /// Blocks, for seconds if name servers do not answer: never call it on an event loop.
    static func addresses(of host: String) throws(MembershipError) -> [IPAddress] {
        if let literal = IPAddress(host) { return [literal] }
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &list)
        guard status == 0 else {
            let reason = String(cString: gai_strerror(status))
            throw MembershipError(.unknownHost, "the name \(host) has no address: \(reason)")
        }
        defer { freeaddrinfo(list) }
        var addresses: [IPAddress] = []
        var next = list
        while let info = next?.pointee, addresses.count < addressesMax {
            next = info.ai_next
            let address = info.ai_addr.flatMap { Endpoint($0) }?.address
            if let address, !addresses.contains(address) { addresses.append(address) }
        }
        return addresses
    }
}
