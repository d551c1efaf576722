// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import Synchronization

/// Counts the connections that are open, by address and in all.
///
/// Any event loop may call.
final class ConnectionLimits: Sendable {
    /// An address as it is counted: a whole /64 of IPv6 is one, since a host has as much.
    struct Peer: Hashable, Sendable {
        private var bytes: [UInt8]

        init(_ address: SocketAddress?) {
            let packed = address?.withSockAddr { start, size in
                [UInt8](UnsafeRawBufferPointer(start: start, count: size))
            }
            guard let packed else {
                bytes = []
                return
            }
            switch address?.protocol {
            // The address stands behind family and port; in IPv6 also behind the flow.
            case .inet: bytes = Array(packed[4..<8])
            case .inet6: bytes = Array(packed[8..<24])
            default: bytes = []
            }
            guard bytes.count == 16 else { return }
            // IPv4 through an IPv6 socket is ::ffff:a.b.c.d, all of it in one /64.
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10...11] == [0xFF, 0xFF]
            bytes = Array(isMapped ? bytes[12...] : bytes[..<8])
        }
    }

    /// Why a connection may not be.
    enum Refusal: String, Sendable {
        case perAddress = "too many connections from one address"
        case total = "too many connections"
    }

    private struct State {
        var total = 0
        var byPeer: [Peer: Int] = [:]
    }

    private let state = Mutex(State())
    private let perAddressMax: Int
    private let totalMax: Int

    init(perAddressMax: Int, totalMax: Int) {
        self.perAddressMax = perAddressMax
        self.totalMax = totalMax
    }

    /// How many are open.
    var count: Int { state.withLock { $0.total } }

    /// Counts a connection, unless it is one too many.
    func open(_ peer: Peer) -> Refusal? {
        state.withLock { state in
            if state.total >= totalMax { return .total }
            let count = state.byPeer[peer, default: 0]
            if count >= perAddressMax { return .perAddress }
            state.total += 1
            state.byPeer[peer] = count + 1
            return nil
        }
    }

    /// Ends the count of a connection that ``open(_:)`` counted.
    func close(_ peer: Peer) {
        state.withLock { state in
            guard let count = state.byPeer[peer] else {
                preconditionFailure("a connection was closed that was not open")
            }
            state.total -= 1
            state.byPeer[peer] = count > 1 ? count - 1 : nil
        }
    }
}
