// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOPosix

/// Writes keyrings one after the other, off the event loop.
///
/// Owner: the node's event loop.
final class KeyringWriter {
    private let file: KeyringFile
    private let eventLoop: any EventLoop
    /// What is being written comes first.
    private var waiting = CircularBuffer<(keys: [GossipKey], done: (MembershipError?) -> Void)>()

    /// Changes that wait for the disk; more are refused.
    private static let waitingMax = 64

    init(file: KeyringFile, eventLoop: any EventLoop) {
        self.file = file
        self.eventLoop = eventLoop
    }

    /// Writes keys, after those before them.
    ///
    /// - Parameter done: Called on the loop, later, with what went wrong.
    func write(_ keys: [GossipKey], done: @escaping (MembershipError?) -> Void) {
        guard waiting.count < Self.waitingMax else {
            let error = MembershipError(.keyringFile, "the keys change faster than the disk writes")
            return eventLoop.assumeIsolated().execute { done(error) }
        }
        waiting.append((keys, done))
        if waiting.count == 1 { writeFirst() }
    }

    private func writeFirst() {
        guard let keys = waiting.first?.keys else { return }
        let file = file
        NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
            try file.write(keys)
        }.assumeIsolated().whenComplete { result in
            let (_, done) = self.waiting.removeFirst()
            self.writeFirst()
            switch result {
            case .success: done(nil)
            case .failure(let error):
                done(
                    error as? MembershipError
                        ?? MembershipError(
                            .keyringFile, "the keyring file cannot be written", cause: error))
            }
        }
    }
}
