// SPDX-License-Identifier: Apache-2.0

import CCodecs
import Compression
import Testing

@Suite("Libraries of codecs")
struct LibraryTests {
    @Test("a library that is not installed is not there", arguments: ["libnosuch.so.1", ""])
    func missing(library: String) {
        #expect(!find(["crc32"], in: library + "x"))
    }

    @Test("a library that lacks a function is not there")
    func tooOld() {
        #expect(find(["crc32"], in: "libz.so.1"))
        #expect(!find(["crc32", "no_such_function"], in: "libz.so.1"))
    }

    @Test("all codecs are served where scripts/install-tools ran", arguments: Codec.allCases)
    func served(codec: Codec) {
        #expect(codec.isSupported)
    }

    @Test("who lacks a library is told which package has it")
    func package() {
        #expect(
            CompressionError.unsupported(.snappy).description
                == "compression codec snappy is not served here: "
                + "the Debian package libsnappy1v5 is not installed")
        #expect(
            Codec.allCases.map(\.debianPackage) == [
                nil, nil, "libsnappy1v5", "liblz4-1", "libzstd1",
            ])
    }

    private func find(_ names: [StaticString], in library: String) -> Bool {
        let names: [UnsafePointer<CChar>?] = names.map {
            UnsafeRawPointer($0.utf8Start).assumingMemoryBound(to: CChar.self)
        }
        var functions = [UnsafeMutableRawPointer?](repeating: nil, count: names.count)
        return cordwood_codec_library(library, names, &functions, names.count)
    }
}
