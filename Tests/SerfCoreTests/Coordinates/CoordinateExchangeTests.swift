// SPDX-License-Identifier: Apache-2.0

import SerfWire
import SwimCore
import Testing

@testable import SerfCore

@Suite struct CoordinateExchangeTests {
    private var node: SwimNode {
        SwimNode(
            name: "m", endpoint: Subject.peer(1), meta: [], versions: .current, incarnation: 1,
            state: .alive, changed: Moment(nanoseconds: 0))
    }

    @Test("an ack carries the coordinate, and another's is remembered and reckoned with")
    func exchanges() throws {
        var subject = Subject()
        subject.admit("m")
        #expect(
            try CoordinatePayload.decode(subject.serf.layer.ackPayload()).error
                == Coordinate.errorMax)
        let other = Coordinate(vector: [0.01, 0, 0, 0, 0, 0, 0, 0])
        subject.serf.layer.acknowledged(
            node, roundTrip: .milliseconds(5), payload: other.payload.encoded())
        #expect(subject.serf.coordinate(of: "m") == other)
        #expect(subject.serf.coordinate != Coordinate())
        #expect(subject.serf.coordinate(of: "self") == subject.serf.coordinate)
        #expect(subject.serf.coordinate(of: "nobody") == nil)
    }

    @Test(
        "what is no coordinate of ours is counted and not reckoned with",
        arguments: [[2, 0x80], [1, 0x80], [0x41]] as [[UInt8]])
    func refuses(payload: [UInt8]) {
        var subject = Subject()
        subject.admit("m")
        subject.serf.layer.acknowledged(node, roundTrip: .milliseconds(5), payload: payload)
        #expect(subject.serf.coordinate == Coordinate())
        #expect(subject.serf.coordinate(of: "m") == nil)
        #expect(subject.serf.layer.effects == [.observe(.coordinateRefused(node: "m"))])
    }

    @Test("an ack without a coordinate is no fault")
    func acceptsNone() {
        var subject = Subject()
        subject.admit("m")
        subject.serf.layer.acknowledged(node, roundTrip: .milliseconds(5), payload: [])
        #expect(subject.serf.layer.effects.isEmpty)
    }

    @Test("without coordinates acks are empty")
    func off() {
        var subject = Subject { $0.keepsCoordinates = false }
        subject.admit("m")
        #expect(subject.serf.layer.ackPayload().isEmpty)
        subject.serf.layer.acknowledged(
            node, roundTrip: .milliseconds(5), payload: Coordinate(height: 1).payload.encoded())
        #expect(subject.serf.coordinate == Coordinate())
    }
}
