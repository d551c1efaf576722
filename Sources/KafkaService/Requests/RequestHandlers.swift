// SPDX-License-Identifier: Apache-2.0

public import BrokerRuntime
public import Logging

/// What answers requests: one function a kind of request, in a file of its name.
///
/// Those here are asynchronous, for what is asked rarely. Records in and out, which are not, go by
/// callbacks: ``ProduceCall`` and ``FetchCall``.
///
/// A function answers each row that was asked for and never throws: what cannot be done has its error
/// code in its row.
public struct RequestHandlers: Sendable {
    let broker: Broker
    let settings: KafkaSettings
    let logger: Logger

    /// Handlers over a broker.
    public init(broker: Broker, settings: KafkaSettings, logger: Logger) {
        self.broker = broker
        self.settings = settings
        self.logger = logger
    }
}

/// What a handler knows of a request beside its fields.
struct RequestContext: Sendable {
    /// The version of the request's message, and so of its answer.
    var apiVersion: Int16
    /// What the client calls itself.
    var clientID: String?
    /// The address that the client connected from.
    var clientHost: String
    /// Where the client is told to reach this node.
    var advertised: KafkaSettings.Address
}
