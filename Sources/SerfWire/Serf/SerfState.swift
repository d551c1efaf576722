// SPDX-License-Identifier: Apache-2.0

/// A member and the time of the last intent about it.
public struct StatusTime: Sendable, Hashable {
    public var name: String
    public var time: LamportTime

    public init(name: String, time: LamportTime) {
        self.name = name
        self.time = time
    }
}

/// A user event that was delivered.
public struct RecentEvent: Sendable, Hashable {
    public var name: String
    public var payload: [UInt8]

    public init(name: String, payload: [UInt8]) {
        self.name = name
        self.payload = payload
    }
}

/// The user events of one time.
public struct EventsAtTime: Sendable, Hashable {
    public var time: LamportTime
    public var events: [RecentEvent]

    public init(time: LamportTime, events: [RecentEvent]) {
        self.time = time
        self.events = events
    }
}

/// What Serf adds to a ``PushPull``: clocks, who left, and recent events.
///
/// Agents send their whole ring of 512 events, nil for each empty place; here only places with events
/// are written, which they take as well.
public struct SerfState: Sendable, Hashable {
    /// The clock of members.
    public var time: LamportTime
    /// Written in this order; sort them by name where equal states should give equal bytes.
    public var statusTimes: [StatusTime]
    /// The names of those who left.
    ///
    /// Each has its place in ``statusTimes`` too.
    public var leftMembers: [String]
    public var eventTime: LamportTime
    public var events: [EventsAtTime]
    public var queryTime: LamportTime
    /// Entries that were left out in reading because a name in them is not UTF-8.
    ///
    /// Not written.
    public var unreadable = 0

    /// The most names in either list that are read.
    public static let namesMax = 1 << 20
    /// The most events that are read, all times together.
    public static let eventsMax = 1 << 16

    public init(
        time: LamportTime, statusTimes: [StatusTime], leftMembers: [String],
        eventTime: LamportTime, events: [EventsAtTime], queryTime: LamportTime
    ) {
        self.time = time
        self.statusTimes = statusTimes
        self.leftMembers = leftMembers
        self.eventTime = eventTime
        self.events = events
        self.queryTime = queryTime
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        let zero = LamportTime(0)
        self.init(
            time: zero, statusTimes: [], leftMembers: [], eventTime: zero, events: [],
            queryTime: zero)
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "LTime": time = try LamportTime(from: &reader)
            case "StatusLTimes": try readStatusTimes(&reader)
            case "LeftMembers": try readLeftMembers(&reader)
            case "EventLTime": eventTime = try LamportTime(from: &reader)
            case "Events": try readEvents(&reader)
            case "QueryLTime": queryTime = try LamportTime(from: &reader)
            default: try reader.skip()
            }
        }
    }

    private mutating func readStatusTimes(
        _ reader: inout MessagePackReader
    ) throws(WireError) {
        let count = try reader.mapCount()
        guard count <= Self.namesMax else { throw .tooLong(limit: Self.namesMax) }
        statusTimes = []
        for _ in 0..<count {
            let name = try reader.textIfValid()
            let time = try LamportTime(from: &reader)
            if let name {
                statusTimes.append(StatusTime(name: name, time: time))
            } else {
                unreadable += 1
            }
        }
    }

    private mutating func readLeftMembers(
        _ reader: inout MessagePackReader
    ) throws(WireError) {
        let count = try reader.arrayCount()
        guard count <= Self.namesMax else { throw .tooLong(limit: Self.namesMax) }
        leftMembers = []
        for _ in 0..<count {
            if let name = try reader.textIfValid() {
                leftMembers.append(name)
            } else {
                unreadable += 1
            }
        }
    }

    private mutating func readEvents(_ reader: inout MessagePackReader) throws(WireError) {
        let places = try reader.arrayCount()
        events = []
        var left = Self.eventsMax
        for _ in 0..<places where !(try reader.isNil()) {
            let place = try readPlace(&reader, left: &left)
            if !place.events.isEmpty { events.append(place) }
        }
    }

    private mutating func readPlace(
        _ reader: inout MessagePackReader, left: inout Int
    ) throws(WireError) -> EventsAtTime {
        var place = EventsAtTime(time: LamportTime(0), events: [])
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "LTime": place.time = try LamportTime(from: &reader)
            case "Events":
                let count = try reader.arrayCount()
                guard count <= left else { throw .tooLong(limit: Self.eventsMax) }
                left -= count
                place.events = []
                for _ in 0..<count {
                    if let event = try RecentEvent(from: &reader) {
                        place.events.append(event)
                    } else {
                        unreadable += 1
                    }
                }
            default: try reader.skip()
            }
        }
        return place
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(6)
        writer.writeKey("EventLTime")
        writer.write(eventTime)
        writer.writeKey("Events")
        writer.writeArrayHead(events.count)
        for place in events { place.encode(into: &writer) }
        writer.writeKey("LTime")
        writer.write(time)
        writer.writeKey("LeftMembers")
        writer.writeArrayHead(leftMembers.count)
        for name in leftMembers { writer.write(name) }
        writer.writeKey("QueryLTime")
        writer.write(queryTime)
        writer.writeKey("StatusLTimes")
        writer.writeMapHead(statusTimes.count)
        for status in statusTimes {
            writer.write(status.name)
            writer.write(status.time)
        }
    }
}

extension EventsAtTime {
    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(2)
        writer.writeKey("Events")
        writer.writeArrayHead(events.count)
        for event in events { event.encode(into: &writer) }
        writer.writeKey("LTime")
        writer.write(time)
    }
}

extension RecentEvent {
    /// An event; `nil` if its name is not UTF-8.
    init?(from reader: inout MessagePackReader) throws(WireError) {
        var (name, payload) = (String?.some(""), [UInt8]())
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "Name": name = try reader.textIfValid()
            case "Payload": payload = try reader.data()
            default: try reader.skip()
            }
        }
        guard let name else { return nil }
        self.init(name: name, payload: payload)
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(2)
        writer.writeKey("Name")
        writer.write(name)
        writer.writeKey("Payload")
        writer.writeOrNil(payload)
    }
}
