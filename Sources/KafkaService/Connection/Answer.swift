// SPDX-License-Identifier: Apache-2.0

internal import CommitLog
internal import KafkaProtocol
internal import NIOCore

/// What goes out for a request.
enum AnswerBytes: Sendable {
    /// These, in this order.
    case buffers([ByteBuffer])
    /// Nothing: the producer asked for no answer.
    case nothing
    /// The connection ends, for this reason.
    case close(String)
}

/// The place in a connection's row of answers that one request has.
///
/// Any thread may answer, once; the connection sends answers in the order of the requests.
struct Answer: Sendable {
    let connection: NIOLoopBound<KafkaConnection>
    let loop: any EventLoop
    let id: UInt64
    let correlationID: Int32

    /// Answers with a message.
    func send(
        _ response: some KafkaMessage, _ key: ApiKey, _ version: Int16,
        filling batches: [FetchedBatches] = []
    ) {
        send {
            ResponseEncoder.encode(response, key, version, correlationID, filling: batches)
        }
    }

    /// Answers, on the connection's event loop.
    func send(_ bytes: @escaping @Sendable () -> AnswerBytes) {
        if loop.inEventLoop {
            connection.value.complete(id, bytes())
        } else {
            loop.execute { connection.value.complete(id, bytes()) }
        }
    }
}
