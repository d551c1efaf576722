// SPDX-License-Identifier: Apache-2.0

internal import SerfCore
internal import SerfWire

// What happens, in words: only for those who look.
extension GossipWorld {
    func tell(_ bytes: [UInt8]) -> String {
        var unreadable = 0
        do throws(WireError) {
            let messages = try Packet.decode(bytes, unreadable: &unreadable)
            return messages.map { tell($0) }.joined(separator: ", ")
                + (unreadable > 0 ? ", \(unreadable) unreadable" : "")
        } catch {
            return "nothing that can be read: \(error)"
        }
    }

    func tellBody(_ bytes: [UInt8]) -> String {
        do throws(WireError) {
            return tell(try StreamBody.decode(bytes))
        } catch {
            return "nothing that can be read: \(error)"
        }
    }

    private func tell(_ message: SwimMessage) -> String {
        switch message {
        case .ping(let ping): "ping \(ping.sequence)"
        case .indirectPing(let ping): "ping \(ping.node) for me \(ping.sequence)"
        case .ack(let ack): "ack \(ack.sequence)"
        case .nack(let nack): "nack \(nack.sequence)"
        case .suspect(let suspect):
            "\(suspect.from) suspects \(suspect.node) \(suspect.incarnation)"
        case .alive(let alive): "\(alive.node) \(alive.incarnation) alive"
        case .dead(let dead): "\(dead.from) calls \(dead.node) \(dead.incarnation) dead"
        case .user(let bytes): tellUser(bytes)
        case .pushPull(let exchange):
            (exchange.isJoin ? "join " : "push/pull ")
                + exchange.nodes.map { "\($0.name) \($0.incarnation) \($0.state)" }
                .joined(separator: " ") + "; " + tellUser(exchange.userState)
        case .error(let text): "error: \(text)"
        }
    }

    private func tellUser(_ bytes: [UInt8]) -> String {
        do throws(WireError) {
            switch try SerfMessage.decode(bytes) {
            case .leave(let intent):
                return "\(intent.node) leaves at \(intent.time.rawValue)"
                    + (intent.prune ? " for ever" : "")
            case .join(let intent): return "\(intent.node) joins at \(intent.time.rawValue)"
            case .userEvent(let event): return "event \(event.name) at \(event.time.rawValue)"
            case .query(let query): return "query \(query.name) at \(query.time.rawValue)"
            case .response(let response):
                return response.flags.contains(.acknowledge)
                    ? "\(response.from) has query \(response.id)"
                    : "\(response.from) answers query \(response.id)"
            case .state(let state):
                return "clocks \(state.time.rawValue) \(state.eventTime.rawValue) "
                    + "\(state.queryTime.rawValue), statuses "
                    + state.statusTimes.map { "\($0.name) \($0.time.rawValue)" }
                    .joined(separator: " ") + ", left \(state.leftMembers), "
                    + "\(state.events.count) times of events"
            case .conflict, .keyRequest, .keyResponse, .relay: return "a message of Serf"
            }
        } catch {
            return "\(bytes.count) bytes of Serf that cannot be read: \(error)"
        }
    }

    func tell(_ event: SerfEvent) -> String {
        func names(_ members: [Member]) -> String {
            members.map { "\($0.name) \(tell($0.tags))" }.joined(separator: ", ")
        }
        switch event {
        case .joined(let members): return "joined: " + names(members)
        case .left(let members): return "left: " + names(members)
        case .failed(let members): return "failed: " + names(members)
        case .updated(let members): return "updated: " + names(members)
        case .reaped(let members): return "reaped: " + names(members)
        case .user(let event):
            return "event \(DeliveryOracle.number(event.payload) ?? -1) at \(event.time.rawValue)"
        case .query(let query):
            return "query \(DeliveryOracle.number(query.payload) ?? -1) of \(query.from)"
        }
    }

    func tell(_ tags: [String: String]) -> String {
        "[" + tags.keys.sorted().map { "\($0)=\(tags[$0] ?? "")" }.joined(separator: " ") + "]"
    }

    func tell(_ command: Serf.Command) -> String {
        switch command {
        case .join(let endpoints, let replays):
            let names = endpoints.map { number(at: $0).map { nodes[$0].name } ?? "\($0)" }
            return "join \(names.joined(separator: " "))" + (replays ? " and hear old events" : "")
        case .setTags(let tags): return "have tags " + tell(tags)
        case .send(let name, let payload, _):
            return "send event \(DeliveryOracle.number(payload) ?? -1) \(name)"
        case .leave: return "leave"
        case .forceLeave(let name, let prune):
            return "have \(name) leave" + (prune ? " for ever" : "")
        case .query(let request): return "ask \(request.name)"
        case .respond: return "respond"
        case .key(let command): return "\(command)"
        }
    }

    func tell(_ result: Result<CommandOutcome, SerfError>) -> String {
        switch result {
        case .success(.done): "done"
        case .success(.joined(let count, let failures)):
            "\(count) joined, \(failures.count) failed"
        case .success(.answered(let result)):
            "acks \(result.acks), answers \(result.responses.map(\.from))"
        case .success(.keys(let report)): "\(report.answers.count) of \(report.memberCount)"
        case .failure(let error): "\(error)"
        }
    }
}
