// SPDX-License-Identifier: Apache-2.0

internal import SerfWire
internal import SwimCore

/// Coordinates travel with acks, and each ack is a measurement.
extension SerfLayer {
    mutating func ackPayload() -> [UInt8] {
        settings.keepsCoordinates ? vivaldi.coordinate.payload.encoded() : []
    }

    mutating func acknowledged(_ node: SwimNode, roundTrip: Duration, payload: [UInt8]) {
        guard settings.keepsCoordinates, !payload.isEmpty else { return }
        let other: Coordinate
        do {
            other = Coordinate(try CoordinatePayload.decode(payload))
        } catch {
            observe(.coordinateRefused(node: node.name))
            return
        }
        guard var latencies = members[node.name]?.latencies else { return }
        let isUsed = vivaldi.observe(roundTrip: roundTrip, other: other, latencies: &latencies)
        guard isUsed else {
            observe(.coordinateRefused(node: node.name))
            return
        }
        _ = members.change(node.name) { record in
            record.latencies = latencies
            record.coordinate = other
        }
    }
}
