// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import KafkaProtocol

/// InitProducerId: an idempotent producer's identity (KIP-98).
extension RequestHandlers {
    func initProducerId(
        _ request: InitProducerIdRequest, _ context: RequestContext
    ) async -> InitProducerIdResponse {
        var response = InitProducerIdResponse()
        response.producerId = -1
        response.producerEpoch = -1
        if let transactionalID = request.transactionalId {
            // Not one of the codes after which clients try again: there are no transactions here.
            response.errorCode =
                transactionalID.isEmpty ? .invalidRequest : .transactionalIdAuthorizationFailed
            return response
        }
        do throws(Fault) {
            // A producer that lost its place gets a new id rather than its old one's next epoch.
            response.producerId = try await broker.allocateProducerID()
            response.producerEpoch = 0
        } catch {
            response.errorCode =
                error.code == .diskFull ? .coordinatorNotAvailable : KafkaErrorCode(error)
        }
        return response
    }
}
