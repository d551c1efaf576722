// SPDX-License-Identifier: Apache-2.0

internal import KafkaProtocol

/// From a request of consumer groups to its handler.
extension KafkaConnection {
    func handleGroups(
        _ key: ApiKey, _ reader: inout KafkaReader, _ context: RequestContext, _ answer: Answer
    ) throws(KafkaDecodingError) {
        let handlers = handlers
        switch key {
        case .findCoordinator:
            try run(&reader, key, context, answer) { await handlers.findCoordinator($0, $1) }
        case .joinGroup:
            joining = try run(&reader, key, context, answer) {
                await handlers.joinGroup($0, $1)
            }
        case .syncGroup:
            try run(&reader, key, context, answer) { await handlers.syncGroup($0, $1) }
        case .heartbeat:
            try run(&reader, key, context, answer) { await handlers.heartbeat($0, $1) }
        case .leaveGroup:
            try run(&reader, key, context, answer) { await handlers.leaveGroup($0, $1) }
        case .offsetCommit:
            try run(&reader, key, context, answer) { await handlers.offsetCommit($0, $1) }
        case .offsetFetch:
            try run(&reader, key, context, answer) { await handlers.offsetFetch($0, $1) }
        case .describeGroups:
            try run(&reader, key, context, answer) { await handlers.describeGroups($0, $1) }
        case .listGroups:
            try run(&reader, key, context, answer) { await handlers.listGroups($0, $1) }
        case .deleteGroups:
            try run(&reader, key, context, answer) { await handlers.deleteGroups($0, $1) }
        case .offsetDelete:
            try run(&reader, key, context, answer) { await handlers.offsetDelete($0, $1) }
        default: preconditionFailure("\(key.name) is not about groups")
        }
    }
}
