// SPDX-License-Identifier: Apache-2.0

internal import Faults
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Glibc
internal import NIOCore

/// Looks up addresses to listen on, and says what went wrong with them.
enum Listener {
    /// The IP address to listen on; blocks while a name is looked up.
    ///
    /// - Throws: ``Faults/ErrorCode/plaintextRefused`` for one that other machines reach, unless
    ///   that is allowed.
    ///
    /// - Parameters:
    ///   - key: The setting that the address comes from.
    ///   - protection: What would have to be there, where plain text is not allowed.
    static func resolve(
        _ address: ListenAddress, of key: String, allowPlaintext: Bool, protection: String = "TLS"
    ) throws(Fault) -> ListenAddress {
        var resolved = address
        if address.host == "localhost" {
            // Always the same of its two addresses.
            resolved.host = "127.0.0.1"
        } else {
            do {
                let found = try NIOCore.SocketAddress.makeAddressResolvingHost(
                    address.host, port: address.port)
                resolved.host = found.ipAddress ?? address.host
            } catch {
                throw Fault(
                    .invalidValue, "\(key): there is no host \(address.host)",
                    hint: "Use an address of this machine, such as 127.0.0.1.")
            }
        }
        guard allowPlaintext || resolved.isLoopback == true else {
            throw Fault(
                .plaintextRefused,
                "\(address) can be reached from other machines, without \(protection)")
        }
        return resolved
    }

    /// The address as the transport takes it.
    static func socketAddress(
        _ address: ListenAddress
    ) -> GRPCNIOTransportHTTP2Posix.SocketAddress {
        address.host.contains(":")
            ? .ipv6(host: address.host, port: address.port)
            : .ipv4(host: address.host, port: address.port)
    }

    /// Why the transport does not listen.
    ///
    /// - Parameter flag: The option that chooses another address.
    static func fault(
        _ error: (any Error)?, listeningOn address: ListenAddress, flag: String = "--listen"
    ) -> Fault {
        let cause = (error as? RuntimeError)?.cause ?? error
        guard let code = (cause as? IOError)?.errnoCode else {
            return Fault(
                .internalError, "cannot listen on \(address): \(cause.map { "\($0)" } ?? "stopped")"
            )
        }
        switch code {
        case EADDRINUSE:
            return Fault(
                .addressInUse, "\(address) is taken by another program",
                hint: """
                    Stop it (`ss -ltnp` shows it), or choose another address with \(flag); \
                    port 0 takes one that is free.
                    """)
        case EADDRNOTAVAIL:
            return Fault(
                .invalidValue, "\(address) is not an address of this machine",
                hint: "Use one that is, such as 127.0.0.1.")
        case EACCES:
            return Fault(
                .invalidValue, "the process may not listen on \(address)",
                hint: "Use a port from 1024 on.")
        default:
            return Fault(
                .internalError, "cannot listen on \(address): \(String(cString: strerror(code)))")
        }
    }
}
