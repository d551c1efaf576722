// SPDX-License-Identifier: Apache-2.0

/// What can be asked of an agent, as it goes over the wire.
struct IPCRequest: Sendable {
    /// What comes back.
    enum Answer: Sendable {
        case header
        case body
        /// A body even beside an error.
        case bodyAlways
        /// A header now, and records under the same number from then on.
        case records
    }

    var command: String
    var body: PackValue?
    var answer: Answer = .header

    func encoded(sequence: UInt64) -> [UInt8] {
        PackValue.fields(["Command": .text(command), "Seq": .unsigned(sequence)]).encoded
            + (body?.encoded ?? [])
    }
}

extension IPCRequest {
    static let handshake = IPCRequest(
        command: "handshake", body: .fields(["Version": .unsigned(1)]))

    static let members = IPCRequest(command: "members", answer: .body)

    static func membersFiltered(
        tags: [String: String] = [:], status: String = "", name: String = ""
    ) -> IPCRequest {
        IPCRequest(
            command: "members-filtered",
            body: .fields(["Tags": .strings(tags), "Status": .text(status), "Name": .text(name)]),
            answer: .body)
    }

    static func join(_ existing: [String], replay: Bool = false) -> IPCRequest {
        IPCRequest(
            command: "join",
            body: .fields(["Existing": .strings(existing), "Replay": .bool(replay)]),
            answer: .bodyAlways)
    }

    static let leave = IPCRequest(command: "leave")

    static func forceLeave(_ node: String, prune: Bool = false) -> IPCRequest {
        IPCRequest(
            command: "force-leave",
            body: .fields(["Node": .text(node), "Prune": .bool(prune)]))
    }

    static func event(_ name: String, payload: [UInt8], mayCoalesce: Bool) -> IPCRequest {
        IPCRequest(
            command: "event",
            body: .fields([
                "Name": .text(name), "Payload": .bytes(payload), "Coalesce": .bool(mayCoalesce),
            ]))
    }

    static func tags(set: [String: String] = [:], delete: [String] = []) -> IPCRequest {
        IPCRequest(
            command: "tags",
            body: .fields(["Tags": .strings(set), "DeleteTags": .strings(delete)]))
    }

    static func query(
        _ name: String, payload: [UInt8], nodes: [String] = [], tags: [String: String] = [:],
        wantsAcks: Bool = false, relayFactor: UInt8 = 0, timeout: Duration = .zero
    ) -> IPCRequest {
        let (seconds, attoseconds) = timeout.components
        return IPCRequest(
            command: "query",
            body: .fields([
                "FilterNodes": .strings(nodes), "FilterTags": .strings(tags),
                "RequestAck": .bool(wantsAcks), "RelayFactor": .unsigned(UInt64(relayFactor)),
                "Timeout": .signed(seconds * 1_000_000_000 + attoseconds / 1_000_000_000),
                "Name": .text(name), "Payload": .bytes(payload),
            ]),
            answer: .records)
    }

    static func respond(_ id: Int, payload: [UInt8]) -> IPCRequest {
        IPCRequest(
            command: "respond",
            body: .fields(["ID": .unsigned(UInt64(id)), "Payload": .bytes(payload)]))
    }

    static func stream(_ type: String) -> IPCRequest {
        IPCRequest(command: "stream", body: .fields(["Type": .text(type)]), answer: .records)
    }

    static func monitor(level: String) -> IPCRequest {
        IPCRequest(command: "monitor", body: .fields(["LogLevel": .text(level)]), answer: .records)
    }

    static func stop(_ sequence: UInt64) -> IPCRequest {
        IPCRequest(command: "stop", body: .fields(["Stop": .unsigned(sequence)]))
    }

    static let listKeys = IPCRequest(command: "list-keys", answer: .bodyAlways)

    /// `change` is install-key, use-key or remove-key; the key is in base64.
    static func key(_ change: String, _ key: String) -> IPCRequest {
        IPCRequest(command: change, body: .fields(["Key": .text(key)]), answer: .bodyAlways)
    }

    static let stats = IPCRequest(command: "stats", answer: .body)

    static func coordinate(of node: String) -> IPCRequest {
        IPCRequest(
            command: "get-coordinate", body: .fields(["Node": .text(node)]), answer: .body)
    }
}
