// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

@Suite("Big-endian integers")
struct BigEndianTests {
    @Test("the most significant byte comes first, at any alignment")
    func order() {
        var bytes = [UInt8](repeating: 0, count: 12)
        bytes.withUnsafeMutableBytes { buffer in
            buffer.storeBigEndian(0x0102_0304_0506_0708 as UInt64, at: 3)
            #expect(buffer.bigEndian(at: 3, as: UInt64.self) == 0x0102_0304_0506_0708)
            #expect(buffer.bigEndian(at: 4, as: UInt16.self) == 0x0203)
            buffer.storeBigEndian(-2 as Int8, at: 0)
        }
        #expect(bytes == [0xfe, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0])
    }

    @Test("negative numbers read back")
    func negative() {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(-1 as Int32)
        bytes.appendBigEndian(Int64.min)
        bytes.withUnsafeBytes { buffer in
            #expect(buffer.bigEndian(at: 0, as: Int32.self) == -1)
            #expect(buffer.bigEndian(at: 4, as: Int64.self) == .min)
        }
    }
}
