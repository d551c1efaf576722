// SPDX-License-Identifier: Apache-2.0

internal import Agent
internal import Faults
internal import Glibc

/// Which of this machine's addresses packets to another one go out from.
enum Route {
    /// The local address on the way to `remote`, with port 0.
    ///
    /// Looks the name up, which blocks. Connecting a UDP socket sends nothing: the system only chooses a route.
    ///
    /// - Throws: ``Faults/ErrorCode/joinFailed`` where there is no such host, or no way to it.
    static func local(to remote: ListenAddress) throws(Fault) -> ListenAddress {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(remote.host, "\(remote.port)", &hints, &list)
        guard status == 0, let list else {
            throw Fault(
                .joinFailed,
                "\(remote.host) has no address: \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(list) }
        var next: UnsafeMutablePointer<addrinfo>? = list
        while let info = next?.pointee {
            if let host = host(on: info) { return ListenAddress(host: host, port: 0) }
            next = info.ai_next
        }
        throw Fault(.joinFailed, "this machine has no way to \(remote.host)")
    }

    /// The local address of a socket that is connected to one remote address.
    private static func host(on info: addrinfo) -> String? {
        let descriptor = socket(info.ai_family, info.ai_socktype, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 else { return nil }
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // The system writes an address of the socket's family, and its size, into the storage; all
        // of the pointers live for the calls alone.
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard getsockname(descriptor, address, &size) == 0 else { return nil }
                var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
                let status = getnameinfo(
                    address, size, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
                guard status == 0 else { return nil }
                return String(
                    decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }
        }
    }
}
