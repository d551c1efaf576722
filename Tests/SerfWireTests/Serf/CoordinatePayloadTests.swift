// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

struct CoordinatePayloadTests {
    @Test("a coordinate is the same once written and read, also where it is no number")
    func roundTrip() throws {
        let coordinate = CoordinatePayload(
            adjustment: -0.25, error: 1.5, height: .infinity, vector: [0, -0.0, 1e-300, .pi])
        #expect(try CoordinatePayload.decode(coordinate.encoded()) == coordinate)
        let strange = CoordinatePayload(adjustment: .nan, error: 0, height: 0, vector: [])
        #expect(try CoordinatePayload.decode(strange.encoded()).adjustment.isNaN)
    }

    @Test("numbers may be of four bytes, or whole")
    func foreignNumbers() throws {
        let bytes = hexBytes(
            "01 84 aa41646a7573746d656e74 ca3fc00000 a54572726f72 02 a6486569676874 ff a3566563 91 cfffffffffffffffff"
        )
        let coordinate = try CoordinatePayload.decode(bytes)
        #expect(coordinate.adjustment == 1.5)
        #expect(coordinate.error == 2)
        #expect(coordinate.height == -1)
        #expect(coordinate.vector == [0x1p64])
    }

    @Test("another version is not supported, and no bytes are cut short")
    func versions() {
        #expect(throws: WireError.unsupported("coordinate version")) {
            try CoordinatePayload.decode([2, 0x80])
        }
        #expect(throws: WireError.truncated) { try CoordinatePayload.decode([]) }
    }

    @Test("more dimensions than anybody has are refused")
    func dimensions() {
        let bytes = hexBytes("01 81 a3566563 dc0041") + [UInt8](repeating: 0, count: 65)
        #expect(throws: WireError.tooLong(limit: 64)) { try CoordinatePayload.decode(bytes) }
    }
}
