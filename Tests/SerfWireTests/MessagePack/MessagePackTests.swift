// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

struct MessagePackTests {
    private func written(_ write: (inout MessagePackWriter) -> Void) -> String {
        var writer = MessagePackWriter()
        write(&writer)
        let head = writer.bytes.prefix(10)
        return hexText(head)
    }

    @Test("numbers take the fewest bytes, and come back")
    func numbers() throws {
        let forms: [(UInt64, String)] = [
            (0, "00"), (127, "7f"), (128, "cc80"), (255, "ccff"), (256, "cd0100"),
            (65535, "cdffff"),
            (65536, "ce00010000"), (0xffff_ffff, "ceffffffff"), (1 << 32, "cf0000000100000000"),
            (.max, "cfffffffffffffffff"),
        ]
        for (number, form) in forms {
            #expect(written { $0.write(number) } == form)
            #expect(
                try MessagePackReader.read(hexBytes(form)) { reader throws(WireError) in
                    try reader.integer(UInt64.self)
                } == number)
        }
    }

    @Test("signed numbers are unsigned above zero, as 0.9 writes them")
    func signedNumbers() throws {
        let forms: [(Int64, String)] = [
            (0, "00"), (128, "cc80"), (.max, "cf7fffffffffffffff"), (-1, "ff"), (-32, "e0"),
            (-33, "d0df"), (-128, "d080"), (-129, "d1ff7f"), (-32768, "d18000"),
            (-32769, "d2ffff7fff"), (-0x8000_0001, "d3ffffffff7fffffff"),
            (.min, "d38000000000000000"),
        ]
        for (number, form) in forms {
            #expect(written { $0.write(number) } == form)
            #expect(
                try MessagePackReader.read(hexBytes(form)) { reader throws(WireError) in
                    try reader.integer(Int64.self)
                } == number)
        }
    }

    @Test("texts, lists and maps have the heads of the old form at every length")
    func heads() throws {
        for (count, form) in [
            (0, "a0"), (31, "bf"), (32, "da0020"), (255, "da00ff"), (65535, "daffff"),
            (65536, "db00010000"),
        ] {
            let text = String(repeating: "x", count: count)
            #expect(written { $0.write(text) }.hasPrefix(form))
            #expect(written { $0.write([UInt8](text.utf8)) }.hasPrefix(form))
        }
        for (count, form) in [
            (0, "90"), (15, "9f"), (16, "dc0010"), (65535, "dcffff"), (65536, "dd00010000"),
        ] {
            #expect(written { $0.writeArrayHead(count) } == form)
        }
        for (count, form) in [
            (0, "80"), (15, "8f"), (16, "de0010"), (65535, "deffff"), (65536, "df00010000"),
        ] {
            #expect(written { $0.writeMapHead(count) } == form)
        }
    }

    @Test("every form of a value is stepped over")
    func skipping() throws {
        let values = [
            "00", "7f", "e0", "ff", "c0", "c2", "c3", "cc01", "cd0001", "ce00000001",
            "cf0000000000000001",
            "d001", "d10001", "d200000001", "d30000000000000001", "ca00000000",
            "cb0000000000000000",
            "a0", "a161", "bf" + String(repeating: "61", count: 31), "d90161", "da000161",
            "db0000000161",
            "c40161", "c5000161", "c60000000161", "90", "9100", "dc000100", "dd0000000100", "80",
            "810000",
            "de00010000", "df000000010000", "c7010561", "c800010561", "c9000000010561", "d40561",
            "d5050102", "d60501020304", "d7050102030405060708",
            "d805" + String(repeating: "00", count: 16),
            "9191919100", "81810000c0",
        ]
        for value in values {
            let bytes = hexBytes(value)
            let end = try MessagePackReader.read(bytes + [0x55]) { reader throws(WireError) in
                try reader.skip()
                return reader.position
            }
            #expect(end == bytes.count, "\(value)")
            for count in 0..<bytes.count {
                #expect(throws: WireError.truncated, "\(value)") {
                    try MessagePackReader.read([UInt8](bytes[..<count])) {
                        reader throws(WireError) in try reader.skip()
                    }
                }
            }
        }
    }

    @Test("a million lists inside each other are stepped over without a stack")
    func deepNesting() throws {
        let bytes = [UInt8](repeating: 0x91, count: 1_000_000) + [0]
        let left = try MessagePackReader.read(bytes) { reader throws(WireError) in
            try reader.skip()
            return reader.remaining
        }
        #expect(left == 0)
    }

    @Test("counts and lengths beyond the bytes are cut short")
    func declared() {
        for form in [
            "ddffffffff00", "dfffffffff0000", "dbffffffff00", "c6ffffffff00", "c9ffffffff0000",
        ] {
            #expect(throws: WireError.truncated, "\(form)") {
                try MessagePackReader.read(hexBytes(form)) { reader throws(WireError) in
                    try reader.skip()
                }
            }
        }
        #expect(throws: WireError.truncated) {
            try MessagePackReader.read(hexBytes("ddffffffff00")) { reader throws(WireError) in
                try reader.arrayCount()
            }
        }
        #expect(throws: WireError.truncated) {
            try MessagePackReader.read(hexBytes("820000")) { reader throws(WireError) in
                try reader.mapCount()
            }
        }
        #expect(throws: WireError.truncated) {
            try MessagePackReader.read(hexBytes("dbffffffff00")) { reader throws(WireError) in
                try reader.data()
            }
        }
    }
}
