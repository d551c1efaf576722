// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

/// User events: each is delivered once at each member that is there.
extension SerfLayer {
    /// What a user event may take that another member sends, name and payload, in bytes: the most
    /// that any member can be set to send.
    static let eventSizeMax = 9 << 10

    /// Takes in an event.
    ///
    /// - Returns: Whether it was news, which others may not know.
    mutating func hear(_ event: UserEventMessage) -> Bool {
        eventClock.witness(event.time)
        guard event.name.utf8.count + event.payload.count <= Self.eventSizeMax else {
            observe(.eventDropped(name: event.name))
            return false
        }
        let recent = RecentEvent(name: event.name, payload: event.payload)
        switch events.remember(recent, at: event.time, clock: eventClock) {
        case .isOld: return false
        case .isTooMuch:
            observe(.eventDropped(name: event.name))
            return false
        case .isNew:
            tell(
                .user(
                    UserEvent(
                        time: event.time, name: event.name, payload: event.payload,
                        mayCoalesce: event.mayCoalesce)))
            return true
        }
    }

    /// Sends an event to all members, ourselves included.
    mutating func send(
        _ name: String, _ payload: [UInt8], mayCoalesce: Bool
    ) throws(SerfError) {
        let limit = settings.eventSizeMax
        let size = name.utf8.count + payload.count
        guard size <= limit else { throw .eventTooLarge(size: size, limit: limit) }
        let event = UserEventMessage(
            time: eventClock.time, name: name, payload: payload, mayCoalesce: mayCoalesce)
        let message = SerfMessage.userEvent(event).encoded()
        guard message.count <= limit else {
            throw .eventTooLarge(size: message.count, limit: limit)
        }
        // The clock moves on only with an event that is sent.
        _ = eventClock.stamp()
        _ = hear(event)
        gossip(message, through: .events)
    }
}
