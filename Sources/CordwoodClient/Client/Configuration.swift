// SPDX-License-Identifier: Apache-2.0

extension CordwoodClient {
    /// Where the server is, and how long to wait for it.
    public struct Configuration: Sendable, Equatable {
        /// The server's address as `host:port`; port 8400 where none is named.
        public var server: String
        /// How long a single request may take, from the call to the answer.
        public var requestTimeout: Duration = .seconds(30)
        /// How long a producer's or consumer's stream may take to be accepted by the server.
        ///
        /// A server that refuses the connection is reported at once; this is for one that is
        /// silent.
        public var connectTimeout: Duration = .seconds(5)
        /// How long producers and consumers that lost the server try to reach it again.
        ///
        /// Then they throw. The time starts anew whenever the server does something for them.
        public var retryTimeout: Duration = .seconds(30)

        /// A configuration with the default timeouts.
        public init(server: String = "127.0.0.1:8400") {
            self.server = server
        }
    }
}
