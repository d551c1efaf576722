// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

struct TagsTests {
    @Test("tags are written behind ff, sorted by the bytes of their names")
    func written() {
        #expect(Tags.encode([:]) == [0xff, 0x80])
        let tags = ["z": "1", "a": "2", "é": "3", "Z": "4"]
        #expect(hexText(Tags.encode(tags)) == "ff84a15aa134a161a132a17aa131a2c3a9a133")
    }

    @Test("tags by a seed are the same once written and read")
    func roundTrip() throws {
        var random = RandomMessages(seed: 4)
        for _ in 0..<200 {
            let tags = random.tags()
            #expect(try Tags.decode(Tags.encode(tags)) == tags)
        }
    }

    @Test("bytes without ff are a role, and so are none")
    func bareRole() throws {
        #expect(try Tags.decode([]) == ["role": ""])
        #expect(try Tags.decode([UInt8]("web".utf8)) == ["role": "web"])
        #expect(throws: WireError.malformed("a role is not UTF-8")) { try Tags.decode([0xfe]) }
    }

    @Test("names and values may be bin, and the order any")
    func foreignForms() throws {
        #expect(
            try Tags.decode(hexBytes("ff 82 c40162 d90163 a161 c4017a")) == ["b": "c", "a": "z"])
        #expect(try Tags.decode(hexBytes("ff c0")) == [:])
    }

    @Test("tags that are no map of texts are refused")
    func malformed() {
        for bytes in [
            "ff", "ff 81", "ff 81 a161", "ff 81 a161 05", "ff 81 05 a161", "ff 90",
            "ff 81 a161 a1ff",
        ] {
            #expect(throws: WireError.self, "\(bytes)") { try Tags.decode(hexBytes(bytes)) }
        }
        let many = hexBytes("ff de 1001") + [UInt8](repeating: 0xa0, count: 2 * (Tags.countMax + 1))
        #expect(throws: WireError.tooLong(limit: Tags.countMax)) { try Tags.decode(many) }
    }
}
