// SPDX-License-Identifier: Apache-2.0

/// A member of a group.
struct Member: Sendable {
    /// What the member waits for.
    enum Waiting: Sendable, Equatable {
        case nothing
        case join(RequestID)
        case sync(RequestID)
    }

    var id: String
    var instanceID: String?
    var clientID: String
    var clientHost: String
    var sessionTimeout: Int64
    var rebalanceTimeout: Int64
    var protocols: [JoinGroup.Offer]
    /// What the leader gave it in the stable generation; empty in other phases.
    var assignment: [UInt8] = []
    var waiting: Waiting = .nothing
    /// Whether it was never answered: it may not know its id, and cannot send heartbeats.
    var isNew = true
    /// When it counts as dead, unless it waits.
    var sessionDeadline: Int64

    init(id: String, _ request: JoinGroup, sessionDeadline: Int64) {
        self.id = id
        instanceID = request.instanceID
        clientID = request.clientID
        clientHost = request.clientHost
        sessionTimeout = request.sessionTimeout
        rebalanceTimeout = Self.bounded(request.rebalanceTimeout)
        protocols = request.protocols
        self.sessionDeadline = sessionDeadline
    }

    init(_ stored: GroupMetadata.Member, sessionDeadline: Int64) {
        id = stored.memberID
        instanceID = stored.instanceID
        clientID = stored.clientID
        clientHost = stored.clientHost
        sessionTimeout = stored.sessionTimeout
        rebalanceTimeout = stored.rebalanceTimeout
        protocols = stored.protocols
        assignment = stored.assignment
        isNew = false
        self.sessionDeadline = sessionDeadline
    }

    var isStatic: Bool { instanceID != nil }

    var joinRequest: RequestID? {
        if case .join(let request) = waiting { request } else { nil }
    }

    var syncRequest: RequestID? {
        if case .sync(let request) = waiting { request } else { nil }
    }

    /// When the silence of the member is its death; `nil` while it waits for an answer, since it sends
    /// no heartbeats then.
    ///
    /// Only one that was never answered may not wait for ever: nobody might know its id.
    var deadline: Int64? {
        waiting == .nothing || (isNew && joinRequest != nil) ? sessionDeadline : nil
    }

    /// What the coordinator keeps of it, in bytes.
    var size: Int {
        protocols.reduce(
            id.utf8.count + clientID.utf8.count + clientHost.utf8.count
                + (instanceID?.utf8.count ?? 0) + assignment.count
        ) { $0 + $1.name.utf8.count + $1.metadata.count }
    }

    func supports(_ name: String) -> Bool {
        protocols.contains { $0.name == name }
    }

    /// What the member said in a protocol.
    func metadata(for name: String) -> [UInt8] {
        protocols.first { $0.name == name }?.metadata ?? []
    }

    /// Takes over what the member says of itself now.
    mutating func update(_ request: JoinGroup) {
        clientID = request.clientID
        clientHost = request.clientHost
        sessionTimeout = request.sessionTimeout
        rebalanceTimeout = Self.bounded(request.rebalanceTimeout)
        protocols = request.protocols
    }

    var stored: GroupMetadata.Member {
        GroupMetadata.Member(
            memberID: id, instanceID: instanceID, clientID: clientID, clientHost: clientHost,
            sessionTimeout: sessionTimeout, rebalanceTimeout: rebalanceTimeout,
            protocols: protocols, assignment: assignment)
    }

    /// A rebalance timeout as records can hold it: clients ask for 2³¹ − 1 to wait without end.
    private static func bounded(_ timeout: Int64) -> Int64 {
        min(max(timeout, 0), Int64(Int32.max))
    }
}
