// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import SerfWire

/// Which address other members are told, and whether they can reach us there.
enum AdvertisedAddress {
    /// Chooses the address.
    ///
    /// - Parameters:
    ///   - advertised: What the settings say, its name looked up.
    ///   - bound: What the sockets are bound to.
    ///   - machine: The addresses of the machine's interfaces.
    static func choose(
        advertised: Endpoint?, bound: Endpoint, machine: [IPAddress]
    ) throws(MembershipError) -> Endpoint {
        if let advertised {
            guard !advertised.address.isUnspecified else {
                throw MembershipError(
                    .unreachableAddress,
                    "\(advertised) cannot be advertised: nobody can dial it; advertise the address"
                        + " that other members reach this machine at")
            }
            return advertised
        }
        guard bound.address.isUnspecified else { return bound }
        let isIPv6 = if case .v6 = bound.address { true } else { false }
        // A socket on :: also takes IPv4; one on 0.0.0.0 takes nothing else.
        let usable = machine.filter { address in
            let isFit = if case .v4 = address { true } else { isIPv6 }
            return isFit && !address.isLoopback && !address.isUnspecified && !address.isLinkLocal
        }
        let address = usable.first(where: \.isPrivate) ?? usable.first
        let loopback: IPAddress = isIPv6 ? .v6(0, 1) : .v4(0x7f00_0001)
        return Endpoint(address: address ?? loopback, port: bound.port)
    }

    /// Refuses to ask a member elsewhere to talk to our loopback address.
    static func check(_ advertised: Endpoint, reaches seed: String, isLoopback: Bool)
        throws(MembershipError)
    {
        guard advertised.address.isLoopback, !isLoopback else { return }
        throw MembershipError(
            .unreachableAddress,
            "members such as \(seed) cannot reach this node at \(advertised); bind it to an address of"
                + " the network, or advertise one")
    }

    /// The addresses of this machine's interfaces, in the system's order.
    static func ofMachine() -> [IPAddress] {
        // A machine that cannot list its interfaces has none that we could choose.
        let devices = (try? System.enumerateDevices()) ?? []
        return devices.compactMap { $0.address.flatMap(Endpoint.init)?.address }
    }
}
