// SPDX-License-Identifier: Apache-2.0

/// An event of an application, delivered to every member.
public struct UserEventMessage: Sendable, Hashable {
    public var time: LamportTime
    public var name: String
    public var payload: [UInt8]
    /// Whether a listener may keep only the newest of those with one name.
    public var mayCoalesce: Bool

    public init(time: LamportTime, name: String, payload: [UInt8], mayCoalesce: Bool) {
        self.time = time
        self.name = name
        self.payload = payload
        self.mayCoalesce = mayCoalesce
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(time: LamportTime(0), name: "", payload: [], mayCoalesce: false)
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "LTime": time = try LamportTime(from: &reader)
            case "Name": name = try reader.text()
            case "Payload": payload = try reader.data()
            case "CC": mayCoalesce = try reader.bool()
            default: try reader.skip()
            }
        }
    }

    func encode(into writer: inout MessagePackWriter) {
        writer.writeMapHead(4)
        writer.writeKey("CC")
        writer.write(mayCoalesce)
        writer.writeKey("LTime")
        writer.write(time)
        writer.writeKey("Name")
        writer.write(name)
        writer.writeKey("Payload")
        writer.writeOrNil(payload)
    }
}
