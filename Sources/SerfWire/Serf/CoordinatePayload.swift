// SPDX-License-Identifier: Apache-2.0

/// A node's place in the network's latency space, as its acks carry it.
///
/// The space is that of Vivaldi (Dabek et al. 2004).
///
///     01  {Adjustment, Error, Height, Vec: [8 numbers]}
///
/// Only the form is checked here; what is not finite or of another dimension is for the reader of it.
public struct CoordinatePayload: Sendable, Hashable {
    /// Seconds.
    public var adjustment: Double
    /// How unsure the node is of its place, without a unit.
    public var error: Double
    /// Seconds.
    public var height: Double
    /// Seconds in each dimension.
    public var vector: [Double]

    /// The version of the form, its first byte.
    public static let version: UInt8 = 1
    /// The most dimensions that are read; everybody uses 8.
    public static let dimensionsMax = 64

    public init(adjustment: Double, error: Double, height: Double, vector: [Double]) {
        self.adjustment = adjustment
        self.error = error
        self.height = height
        self.vector = vector
    }

    public func encoded() -> [UInt8] {
        var writer = MessagePackWriter(type: Self.version, capacity: 136)
        writer.writeMapHead(4)
        writer.writeKey("Adjustment")
        writer.write(adjustment)
        writer.writeKey("Error")
        writer.write(error)
        writer.writeKey("Height")
        writer.write(height)
        writer.writeKey("Vec")
        writer.writeArrayHead(vector.count)
        for part in vector { writer.write(part) }
        return writer.bytes
    }

    /// The coordinate of an ack's payload.
    ///
    /// - Throws: ``WireError/unsupported(_:)`` for another version, which is to be ignored.
    public static func decode(_ payload: [UInt8]) throws(WireError) -> CoordinatePayload {
        try MessagePackReader.read(payload) { reader throws(WireError) in
            guard try reader.byte() == version else { throw .unsupported("coordinate version") }
            return try CoordinatePayload(from: &reader)
        }
    }

    private init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(adjustment: 0, error: 0, height: 0, vector: [])
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.key() {
            case "Adjustment": adjustment = try reader.double()
            case "Error": error = try reader.double()
            case "Height": height = try reader.double()
            case "Vec":
                let count = try reader.arrayCount()
                guard count <= Self.dimensionsMax else { throw .tooLong(limit: Self.dimensionsMax) }
                vector = []
                for _ in 0..<count { vector.append(try reader.double()) }
            default: try reader.skip()
            }
        }
    }
}
