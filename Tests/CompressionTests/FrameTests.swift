// SPDX-License-Identifier: Apache-2.0

import Compression
import Testing

@Suite("What frames may say")
struct FrameTests {
    private static let lz4Magic: [UInt8] = [0x04, 0x22, 0x4d, 0x18]
    /// One stored block of the byte `x`, then the end.
    private static let lz4Block = hex("01000080 78 00000000")
    /// The header's last byte is its checksum.
    private static let lz4Plain = lz4Magic + hex("60 40 82") + lz4Block

    private static let zstdMagic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]
    /// One stored block of the byte `x`, the last.
    private static let zstdBlock = hex("090000 78")

    @Test("the smallest frames open")
    func smallest() throws {
        #expect(try Codec.lz4.decompress(Self.lz4Plain, limit: 1) == [0x78])
        let zstd = Self.zstdMagic + hex("20 01") + Self.zstdBlock
        #expect(try Codec.zstd.decompress(zstd, limit: 1) == [0x78])
    }

    @Test("a legacy frame of LZ4 is refused, and one to skip")
    func lz4Kinds() {
        for magic in ["02214c18", "502a4d18 03000000"] {
            refuse(.lz4, hex(magic) + Self.lz4Plain.dropFirst(4))
            refuse(.lz4, hex(magic) + Self.lz4Plain)
        }
        // Nothing but a frame to skip: liblz4 would open it to nothing.
        refuse(.lz4, hex("502a4d18 01000000 00"))
    }

    @Test("a second frame of LZ4 is refused: Java's clients read only the first")
    func lz4Twice() {
        refuse(.lz4, Self.lz4Plain + Self.lz4Plain)
    }

    @Test("a frame that needs a dictionary is refused")
    func dictionaries() {
        refuse(.lz4, Self.lz4Magic + hex("61 40 07000000 e3") + Self.lz4Block)
        refuse(.zstd, Self.zstdMagic + hex("21 07 01") + Self.zstdBlock)
    }

    @Test("a frame of LZ4 holds what it claims")
    func lz4Sizes() throws {
        let sizes = ["0100000000000000 2c", "0200000000000000 a0", "0000000000010000 b7"]
        let frames = sizes.map { Self.lz4Magic + hex("68 40 " + $0) + Self.lz4Block }
        #expect(try Codec.lz4.decompress(frames[0], limit: 1) == [0x78])
        refuse(.lz4, frames[1])
        refuse(.lz4, frames[2])
    }

    @Test(
        "a frame of Zstandard holds what it claims",
        arguments: [
            "20 00", "20 02", "a0 ffffff7f", "e0 feffffffffffff7f", "e0 ffffffffffffffff",
        ])
    func zstdSizes(header: String) {
        refuse(.zstd, Self.zstdMagic + hex(header) + Self.zstdBlock)
    }

    @Test("windows of Zstandard go up to 8 MiB")
    func window() throws {
        let fits = Self.zstdMagic + hex("00 68") + Self.zstdBlock
        #expect(try Codec.zstd.decompress(fits, limit: 100) == [0x78])
        for descriptor in ["69", "70", "a8", "ff"] {
            refuse(.zstd, Self.zstdMagic + hex("00" + descriptor) + Self.zstdBlock)
        }
    }

    @Test("frames of Zstandard to skip, and those before 1.0, are refused")
    func zstdKinds() {
        let frame = Self.zstdMagic + hex("20 01") + Self.zstdBlock
        for magic in ["502a4d18 00000000", "27b52ffd", "1eb52ffd", "fd2fb51e"] {
            refuse(.zstd, hex(magic) + frame)
            refuse(.zstd, frame + hex(magic))
        }
    }

    @Test(
        "snappy's claimed size is held to what its bytes can open to",
        arguments: [
            "ffffffff0f", "ffffffff0f 0078", "80808001 0078", "00 0078", "02 0078",
            "ffffffffff01 0078",
        ])
    func snappySizes(text: String) {
        for limit in [1000, .max] {
            let opened = try? Codec.snappy.decompress(hex(text), limit: limit)
            #expect(opened == nil)
        }
        #expect(throws: Never.self) { try Codec.snappy.decompress(hex("01 0078"), limit: 1) }
    }

    @Test(
        "blocks of the Java framing are held to the bytes that are there",
        arguments: [
            "00000000", "00", "00000004 010078", "ffffffff 010078", "80000000",
            "00000003 010078 00",
        ])
    func xerialBlocks(text: String) throws {
        let header: [UInt8] = hex("82534e4150505900 00000001 00000001")
        refuse(.snappy, header + hex(text))
        let block = hex("00000003 010078")
        #expect(try Codec.snappy.decompress(header, limit: 0) == [])
        #expect(try Codec.snappy.decompress(header + block + block, limit: 2) == [0x78, 0x78])
        #expect(throws: CompressionError.overLimit(limit: 1)) {
            try Codec.snappy.decompress(header + block + block, limit: 1)
        }
    }

    @Test("the size in gzip's trailer is advice for room, and has to be right")
    func gzipSizes() throws {
        var packed = try Codec.gzip.compress([1, 2, 3])
        for size in [[0, 0, 0, 0], [255, 255, 255, 255], [4, 0, 0, 0]] as [[UInt8]] {
            packed.replaceSubrange((packed.count - 4)..., with: size)
            refuse(.gzip, packed)
        }
    }

    @Test("what we pack with LZ4 has independent blocks of 64 KiB")
    func lz4Written() throws {
        let packed = try Codec.lz4.compress([UInt8](repeating: 1, count: 200_000))
        #expect(packed[4] & 0xe1 == 0x60)
        #expect(packed[5] == 0x40)
    }

    private func refuse(_ codec: Codec, _ bytes: [UInt8]) {
        #expect(throws: CompressionError.damaged, "\(codec)") {
            try codec.decompress(bytes, limit: 1 << 20)
        }
    }
}
