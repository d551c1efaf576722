// SPDX-License-Identifier: Apache-2.0

import SerfWire

// What messages say, in the form of the golden vectors: fields by their names on the wire.

extension IPAddress {
    var described: JSONValue { .text("hex:" + hexText(bytes)) }
}

extension Versions {
    var described: JSONValue { .bytes(self == .none ? [] : bytes) }
}

extension SwimMessage {
    /// The type, and the fields with their values.
    var described: (type: Int, fields: [String: JSONValue]) {
        switch self {
        case .ping(let ping):
            let fields: [String: JSONValue] = [
                "Node": .text(ping.node), "SeqNo": .number(ping.sequence),
            ]
            return (0, fields.merging(ping.source?.described ?? [:]) { $1 })
        case .indirectPing(let ping):
            let fields: [String: JSONValue] = [
                "Nack": .bool(ping.wantsNack), "Node": .text(ping.node),
                "Port": .number(ping.target.port), "SeqNo": .number(ping.sequence),
                "Target": ping.target.address.described,
            ]
            return (1, fields.merging(ping.source?.described ?? [:]) { $1 })
        case .ack(let ack):
            return (2, ["Payload": .bytes(ack.payload), "SeqNo": .number(ack.sequence)])
        case .nack(let nack):
            return (11, ["SeqNo": .number(nack.sequence)])
        case .suspect(let rumor):
            return (3, rumorFields(rumor.incarnation, rumor.node, rumor.from))
        case .dead(let rumor):
            return (5, rumorFields(rumor.incarnation, rumor.node, rumor.from))
        case .alive(let alive):
            return (
                4,
                [
                    "Addr": alive.endpoint.address.described,
                    "Incarnation": .number(alive.incarnation),
                    "Meta": .bytes(alive.meta), "Node": .text(alive.node),
                    "Port": .number(alive.endpoint.port), "Vsn": alive.versions.described,
                ]
            )
        case .user(let content):
            return (8, ["UserMsgLen": .number(content.count)])
        case .pushPull(let state):
            return (
                6,
                [
                    "Join": .bool(state.isJoin), "Nodes": .number(state.nodes.count),
                    "UserStateLen": .number(state.userState.count),
                ]
            )
        case .error(let text):
            return (13, ["Error": .text(text)])
        }
    }

    private func rumorFields(_ incarnation: UInt32, _ node: String, _ from: String) -> [String:
        JSONValue]
    {
        ["From": .text(from), "Incarnation": .number(incarnation), "Node": .text(node)]
    }
}

extension Source {
    var described: [String: JSONValue] {
        [
            "SourceAddr": endpoint.address.described, "SourceNode": .text(node),
            "SourcePort": .number(endpoint.port),
        ]
    }
}

extension NodeState {
    var described: [String: JSONValue] {
        [
            "Addr": endpoint.address.described, "Incarnation": .number(incarnation),
            "Meta": .bytes(meta), "Name": .text(name), "Port": .number(endpoint.port),
            "State": .number(state.rawValue), "Vsn": versions.described,
        ]
    }
}

extension SerfMessage {
    /// The type, and the fields with their values.
    var described: (type: Int, fields: [String: JSONValue]) {
        switch self {
        case .leave(let leave):
            return (
                0,
                [
                    "LTime": leave.time.described, "Node": .text(leave.node),
                    "Prune": .bool(leave.prune),
                ]
            )
        case .join(let join):
            return (1, ["LTime": join.time.described, "Node": .text(join.node)])
        case .state(let state):
            return (2, state.described)
        case .userEvent(let event):
            return (
                3,
                [
                    "CC": .bool(event.mayCoalesce), "LTime": event.time.described,
                    "Name": .text(event.name), "Payload": .bytes(event.payload),
                ]
            )
        case .query(let query):
            return (4, query.described)
        case .response(let response):
            return (
                5,
                [
                    "Flags": .number(response.flags.rawValue), "From": .text(response.from),
                    "ID": .number(response.id), "LTime": response.time.described,
                    "Payload": .bytes(response.payload),
                ]
            )
        case .conflict(let member):
            return (6, member?.described ?? [:])
        case .keyRequest(let request):
            return (7, ["Key": .bytes(request.key)])
        case .keyResponse(let response):
            return (
                8,
                [
                    "Keys": .list(response.keys.map(JSONValue.text)),
                    "Message": .text(response.message),
                    "PrimaryKey": .text(response.primaryKey), "Result": .bool(response.isSuccess),
                ]
            )
        case .relay(let header, _):
            let destination: [String: JSONValue] = [
                "IP": header.destination.address.described,
                "Port": .number(header.destination.port), "Zone": .text(""),
            ]
            return (9, ["DestAddr": .map(destination), "DestName": .text(header.name)])
        }
    }
}

extension LamportTime {
    var described: JSONValue { .number(rawValue) }
}

extension QueryMessage {
    var described: [String: JSONValue] {
        [
            "Addr": origin.address.described, "Flags": .number(flags.rawValue), "ID": .number(id),
            "LTime": time.described, "Name": .text(name), "Payload": .bytes(payload),
            "Port": .number(origin.port), "RelayFactor": .number(relayFactor),
            "SourceNode": .text(originNode), "Timeout": .number(timeout),
        ]
    }

    /// The filters as the vectors say them, apart from their bytes.
    var describedFilters: [JSONValue] {
        filters.map { filter in
            switch filter {
            case .nodes(let names):
                .map(["type": .number(0), "value": .list(names.map(JSONValue.text))])
            case .tag(let name, let expression):
                .map([
                    "type": .number(1),
                    "value": .map(["Expr": .text(expression), "Tag": .text(name)]),
                ])
            case .unknown(let bytes): .bytes(bytes)
            }
        }
    }
}

extension SerfState {
    /// The fields but for the events, whose form is the sender's.
    var described: [String: JSONValue] {
        let times = statusTimes.map { ($0.name, $0.time.described) }
        return [
            "EventLTime": eventTime.described, "LTime": time.described,
            "LeftMembers": .list(leftMembers.map(JSONValue.text)),
            "QueryLTime": queryTime.described,
            "StatusLTimes": .map(Dictionary(uniqueKeysWithValues: times)),
        ]
    }

    /// The events of each time, in their order.
    var describedEvents: [JSONValue] {
        events.map { place in
            let events = place.events.map {
                JSONValue.map(["Name": .text($0.name), "Payload": .bytes($0.payload)])
            }
            return .map(["Events": .list(events), "LTime": place.time.described])
        }
    }
}

extension ConflictMember {
    var described: [String: JSONValue] {
        [
            "Addr": endpoint.address.described, "DelegateCur": .number(versions.serfCurrent),
            "DelegateMax": .number(versions.serfMax), "DelegateMin": .number(versions.serfMin),
            "Name": .text(name), "Port": .number(endpoint.port),
            "ProtocolCur": .number(versions.swimCurrent), "ProtocolMax": .number(versions.swimMax),
            "ProtocolMin": .number(versions.swimMin), "Status": .number(status),
            "Tags": .map(tags.mapValues(JSONValue.text)),
        ]
    }
}

extension CoordinatePayload {
    var described: [String: JSONValue] {
        [
            "Adjustment": .number(adjustment), "Error": .number(error), "Height": .number(height),
            "Vec": .list(vector.map(JSONValue.number)),
        ]
    }
}
