// SPDX-License-Identifier: Apache-2.0

internal import Faults
internal import Membership
internal import SerfCore

extension Fault {
    /// What an error of gossip means to a caller.
    init(_ error: MembershipError) {
        if case .noKeyring? = error.cause as? SerfError {
            self.init(.gossipNotEncrypted, "gossip is not encrypted")
            return
        }
        let code: ErrorCode =
            switch error.code {
            case .unknownMember: .memberNotFound
            case .joinFailed, .unreachableAddress, .unknownHost: .joinFailed
            case .timedOut: .deadlineExceeded
            case .closed, .nameConflict, .socketFailed: .gossipNotRunning
            case .keyringFile: .storageFailed
            case .refused:
                if case .tooMany? = error.cause as? SerfError {
                    .overloaded
                } else {
                    .invalidArgument
                }
            default: .invalidArgument
            }
        self.init(code, error.message)
    }

    /// Why a node's gossip does not start.
    init(_ error: MembershipError, startingOn settings: SerfNodeSettings) {
        switch error.code {
        case .bindFailed:
            let address = ListenAddress(host: settings.bindHost, port: Int(settings.bindPort))
            self = Listener.fault(error.cause, listeningOn: address, flag: "--gossip")
        case .unreachableAddress:
            self.init(
                .invalidValue, error.message,
                hint: """
                    Set gossip.bind to an address of the network, or gossip.advertise to the one \
                    that the other servers reach this machine at.
                    """)
        case .unknownHost:
            self.init(
                .invalidValue, "gossip.advertise: \(error.message)",
                hint: "Use an address, or a name that this machine can look up.")
        case .keyringFile: self.init(.invalidValue, "gossip.keyring: \(error.message)")
        case .tooLarge:
            self.init(
                .invalidValue, error.message,
                hint: "Shorten cluster.name, listen.grpc.advertise or listen.kafka.advertise.")
        default: self.init(.invalidValue, "gossip: \(error.message)")
        }
    }

    /// Runs something of gossip, and throws what it throws as a fault.
    static func translating<Value>(
        _ body: () async throws(MembershipError) -> Value
    ) async throws(Fault) -> Value {
        do throws(MembershipError) {
            return try await body()
        } catch {
            throw Fault(error)
        }
    }
}
