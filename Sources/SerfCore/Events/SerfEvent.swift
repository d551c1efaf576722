// SPDX-License-Identifier: Apache-2.0

public import SerfWire

/// What the application is told.
///
/// Members that change together come together.
public enum SerfEvent: Sendable, Equatable {
    /// These are there, for the first time or again.
    case joined([Member])
    /// These left, as they said, or were forced to.
    case left([Member])
    /// These do not answer any more.
    case failed([Member])
    /// These have other tags, or another address.
    case updated([Member])
    /// These were forgotten: gone for too long, or pruned.
    case reaped([Member])
    /// Somebody told all members that something happened.
    case user(UserEvent)
    /// Somebody asks; ``Serf/Command/respond(_:_:)`` answers.
    case query(QueryEvent)
}

/// Something that a member told all others.
public struct UserEvent: Sendable, Equatable {
    /// The event clock's time at which it was sent.
    public var time: LamportTime
    /// What kind of event it is.
    public var name: String
    /// Anything.
    public var payload: [UInt8]
    /// Whether only the newest of a name matters.
    ///
    /// Unknown, hence false, of replayed events.
    public var mayCoalesce: Bool

    /// An event.
    public init(time: LamportTime, name: String, payload: [UInt8], mayCoalesce: Bool) {
        self.time = time
        self.name = name
        self.payload = payload
        self.mayCoalesce = mayCoalesce
    }
}
