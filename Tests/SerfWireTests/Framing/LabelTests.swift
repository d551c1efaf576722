// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

struct LabelTests {
    private let blue = [UInt8]("blue".utf8)

    @Test("a label stands in front, and none leaves the packet alone")
    func wrapped() throws {
        #expect(hexText(Label.wrap([8, 1], label: blue)) == "f404626c75650801")
        #expect(Label.wrap([8, 1], label: []) == [8, 1])
        #expect(try Label.unwrap(Label.wrap([8, 1], label: blue), label: blue) == [8, 1])
        #expect(try Label.unwrap([8, 1], label: []) == [8, 1])
        let longest = [UInt8](repeating: 1, count: Label.sizeMax)
        #expect(try Label.unwrap(Label.wrap([8], label: longest), label: longest) == [8])
    }

    @Test("only the exact label is let in, and none where none is used")
    func wrongLabel() {
        for other in ["", "blu", "blue1", "Blue"] {
            let packet = Label.wrap([8, 1], label: [UInt8](other.utf8))
            #expect(throws: WireError.wrongLabel) { try Label.unwrap(packet, label: blue) }
        }
        #expect(throws: WireError.wrongLabel) {
            try Label.unwrap(Label.wrap([8, 1], label: blue), label: [])
        }
        #expect(throws: WireError.wrongLabel) { try Label.unwrap([0xf4, 0, 8], label: []) }
        #expect(throws: WireError.wrongLabel) { try Label.unwrap([], label: blue) }
    }

    @Test("a label that is cut short is refused")
    func cutShort() {
        let packet = Label.wrap([], label: blue)
        for count in 1..<packet.count {
            #expect(throws: WireError.truncated) {
                try Label.unwrap([UInt8](packet[..<count]), label: blue)
            }
        }
    }
}
